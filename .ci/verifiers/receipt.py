"""Verifies a receipt by pyjwt, and its proof by tlog-scales.

    receipt.py RECEIPT JWKS PROOF DIR VKEY [ANSWER]

RECEIPT is a compact JWS, PROOF the text of a C2SP tlog-proof, and DIR the log that has the entry. ANSWER is that of GetReceiptQuery
to the user 1234: its entry and its nonce have to fit the receipt, and the face in LIVENESS_DATABASE_URL, of SQLite.
"""

import json
import os
import sqlite3
import sys
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import jwt
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey
from tlog_scales.tiles import leaf_hash
from tlog_scales.tlog import Checkpoint, InclusionProof

receipt, jwks, proof = (Path(name).read_text(encoding="utf-8") for name in sys.argv[1:4])
folder, vkey = Path(sys.argv[4]), sys.argv[5]

header = jwt.get_unverified_header(receipt)
assert header["typ"] == "liveness-receipt+jwt", header
key = jwt.PyJWKSet.from_dict(json.loads(jwks))[header["kid"]]
claims = jwt.decode(receipt, key, algorithms=["EdDSA"])

head, _, note = proof.partition("\n\n")
version, index, *hashes = (line for line in head.split("\n") if not line.startswith("extra "))
assert version == "c2sp.org/tlog-proof@v1", version
index = int(index.removeprefix("index "))
assert claims["log"]["index"] == index, claims
checkpoint = Checkpoint.from_text(note)
checkpoint.verify(Vkey.from_string(vkey))
log = TilesReader(LocalBackend(folder))
log.get_checkpoint()
inclusion = InclusionProof(index, checkpoint.size, [b64decode(line, validate=True) for line in hashes])
inclusion.check(leaf_hash(log.get_entry(index)), checkpoint.root_hash)
print(f"a receipt by {claims['iss']}, for entry {index} of {checkpoint.size}")

if len(sys.argv) > 6:
    answer = json.loads(Path(sys.argv[6]).read_text(encoding="utf-8"))
    text = answer["Entry"].encode()
    assert text == log.get_entry(index), text
    entry = json.loads(text)
    database = os.environ["LIVENESS_DATABASE_URL"].removeprefix("sqlite://")
    faces = sqlite3.connect(f"file:{database}?mode=ro", uri=True).execute(
        "SELECT bytes FROM liveness_images WHERE liveness_check_id = ?", (entry["record"],)
    )
    # As it is kept: sealed.
    [(face,)] = faces.fetchall()
    assert claims["sub"] == entry["user"] == sha256(bytes.fromhex(answer["Nonce"]) + b"1234").hexdigest(), claims
    assert claims["recordSha256"] == entry["recordSha256"], claims
    assert claims["faceSha256"] == entry["faceSha256"] == sha256(face).hexdigest(), claims
    assert claims["check"]["id"] == entry["record"], claims
    print(f"it is of record {entry['record']}, of user 1234, with the face {claims['faceSha256'][:16]}…")
