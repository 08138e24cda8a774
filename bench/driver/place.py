"""Where things are: the repository, and what is built and kept outside git."""

import os
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
ROOT = BENCH.parent
BINARY = os.environ.get("LIVENESS_HTTP", ROOT / "target/release/liveness-http")
PLACE = Path(os.environ.get("BENCH_DIR", BENCH / "target")).resolve()
