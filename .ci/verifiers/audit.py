"""Verifies a log by aics-tlog: the signature of its checkpoint, and every tile and entry.

    audit.py DIR VKEY
"""

import sys
from pathlib import Path

from aics_tlog.checkpoint import verify_checkpoint
from aics_tlog.note import parse_note, parse_vkey
from aics_tlog.tiles import FileSystemTileReader
from aics_tlog.verified import audit_tiles

folder, vkey = Path(sys.argv[1]), sys.argv[2]
signed = verify_checkpoint(parse_note((folder / "checkpoint").read_bytes()), parse_vkey(vkey))
if not signed.ok:
    sys.exit(f"the checkpoint: {signed.error}")
report = audit_tiles(FileSystemTileReader(folder), signed.size, signed.root)
print(f"{report.size} entries and {report.tiles} tiles are those of the log that {signed.origin} has signed")
