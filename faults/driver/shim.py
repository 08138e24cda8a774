"""The driver's side of shim.c: builds it, and says which calls fail and how far the clock is off."""

import mmap
import shutil
import struct
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "shim.c"
LAYOUT = struct.Struct("=iiqQ104s")
FAILED = struct.Struct("=Q")
FAILED_AT = 16


class Shim:
    def __init__(self, folder: Path):
        compiler = shutil.which("gcc") or shutil.which("cc")
        if not compiler:
            sys.exit("a C compiler is needed, and is not there (Debian: apt-get install gcc)")
        library, control = folder / "shim.so", folder / "control"
        subprocess.run([compiler, "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC", "-o", library, SOURCE], check=True)
        control.write_bytes(bytes(mmap.PAGESIZE))
        # PostgreSQL's server is another account.
        control.chmod(0o666)
        self.env = {"LD_PRELOAD": str(library), "FAULTS_CONTROL": str(control)}
        with open(control, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), mmap.PAGESIZE)

    def set(self, files: str = "", fsync: int = 0, write: int = 0, clock: int = 0) -> None:
        """From now on; what is not named works."""
        self.page[: LAYOUT.size] = LAYOUT.pack(0, 0, clock, 0, files.encode())
        self.page[: LAYOUT.size] = LAYOUT.pack(fsync, write, clock, 0, files.encode())

    def failed(self) -> int:
        """Calls that have failed since it was set."""
        return FAILED.unpack_from(self.page, FAILED_AT)[0]
