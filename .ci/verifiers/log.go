// Verifies a log by Go's own code for the checksum database: the signature of its checkpoint, and that every entry is in it.
//
//	log DIR VKEY [CONSISTENCY]
//
// CONSISTENCY is a file with a hash in Base64 a line: the proof that the log began with its first half.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// A folder has the tiles of C2SP tlog-tiles, whose height is 8 and not in the path, and which has "entries" for "data".
type folder string

func (dir folder) read(tile tlog.Tile) []byte {
	path := strings.TrimPrefix(tile.Path(), "tile/8/")
	return must(os.ReadFile(filepath.Join(string(dir), "tile", strings.Replace(path, "data/", "entries/", 1))))
}

func (dir folder) Height() int                     { return 8 }
func (dir folder) SaveTiles([]tlog.Tile, [][]byte) {}
func (dir folder) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range tiles {
		data = append(data, dir.read(tile))
	}
	return data, nil
}

func main() {
	dir := folder(os.Args[1])
	text := must(os.ReadFile(filepath.Join(os.Args[1], "checkpoint")))
	signed := must(note.Open(text, note.VerifierList(must(note.NewVerifier(os.Args[2])))))
	lines := strings.Split(signed.Text, "\n")
	tree := tlog.Tree{N: must(strconv.ParseInt(lines[1], 10, 64))}
	copy(tree.Hash[:], must(base64.StdEncoding.DecodeString(lines[2])))

	reader := tlog.TileHashReader(tree, dir)

	for first := int64(0); first < tree.N; first += 256 {
		width := int(min(256, tree.N-first))
		bundle := dir.read(tlog.Tile{H: 8, L: -1, N: first / 256, W: width})
		var indexes []int64
		for i := 0; i < width; i++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, first+int64(i)))
		}
		// What it returns it has proven to be in the tree.
		for i, hash := range must(reader.ReadHashes(indexes)) {
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			if tlog.RecordHash(bundle[2:end]) != hash {
				log.Fatalf("entry %d is not the one in the tree", first+int64(i))
			}
			bundle = bundle[end:]
		}
		if len(bundle) > 0 {
			log.Fatalf("there is more than %d entries in the bundle of entry %d", width, first)
		}
	}
	if len(os.Args) > 3 {
		made := ""
		for _, hash := range must(tlog.ProveTree(tree.N, tree.N/2, reader)) {
			made += base64.StdEncoding.EncodeToString(hash[:]) + "\n"
		}
		if made != string(must(os.ReadFile(os.Args[3]))) {
			log.Fatalf("the proof of consistency is not:\n%s", made)
		}
	}
	fmt.Printf("%d entries are in the log that %s has signed\n", tree.N, signed.Sigs[0].Name)
}

func min(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}
