"""Verifies a log by tlog-scales: the signature of its checkpoint, and that every STEPth entry, and the last, is in it.

    log.py DIR VKEY [STEP]
"""

import sys
from pathlib import Path

from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey
from tlog_scales.tiles import leaf_hash

folder, vkey, step = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if sys.argv[3:] else 1
log = TilesReader(LocalBackend(folder))
checkpoint = log.get_checkpoint()
checkpoint.verify(Vkey.from_string(vkey))
indexes = sorted({*range(0, checkpoint.size, step), checkpoint.size - 1})
for index in indexes:
    proof = log.get_inclusion_proof(index, checkpoint.size)
    proof.check(leaf_hash(log.get_entry(index)), checkpoint.root_hash)
print(f"{len(indexes)} of {checkpoint.size} entries are in the log that {checkpoint.origin} has signed")
