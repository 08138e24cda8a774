"""Builds and installs what is missing, outside git: each as its lock says, and again only when that changes."""

import filecmp
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from place import BENCH, PLACE, ROOT


def install(names: list[str]) -> None:
    """What the columns of these names need."""
    PLACE.mkdir(parents=True, exist_ok=True)
    wrk()
    if any(name.startswith("ours") for name in names) and "LIVENESS_HTTP" not in os.environ:
        run("cargo", "build", "--release", "--locked", "--package", "liveness-http", cwd=ROOT)
    if any(name.startswith("node") for name in names):
        node()
    if any(name.startswith("python") for name in names):
        python()
    limit = BENCH / "limit/Cargo.toml"
    run("cargo", "build", "--release", "--locked", "--manifest-path", limit, "--target-dir", PLACE / "cargo")


def run(*command, **kwargs) -> None:
    try:
        subprocess.run(command, check=True, stdout=sys.stderr, **kwargs)
    except FileNotFoundError:
        sys.exit(f"{command[0]} is needed, and is not there")
    except subprocess.CalledProcessError:
        sys.exit(f"this failed: {' '.join(map(str, command))}")


def wrk() -> None:
    if not shutil.which("wrk"):
        if os.getuid() != 0 or not shutil.which("apt-get"):
            sys.exit("wrk is needed, and is not there (Debian: apt-get install wrk)")
        run("apt-get", "update", "-q")
        run("apt-get", "install", "-y", "-q", "--no-install-recommends", "wrk")


def node() -> None:
    home = PLACE / "node"
    home.mkdir(exist_ok=True)
    for file in (BENCH / "node").iterdir():
        # The modules that it imports are looked for beside it.
        shutil.copy(file, home)
    with once(BENCH / "node/package-lock.json", home / "installed") as is_new:
        if is_new:
            run("npm", "ci", "--no-audit", "--no-fund", cwd=home)


def python() -> None:
    home = PLACE / "python"
    with once(BENCH / "python/requirements.txt", home / "installed") as is_new:
        if is_new:
            run(sys.executable, "-m", "venv", "--clear", home)
            run(home / "bin/pip", "install", "-q", "--disable-pip-version-check", "-r", BENCH / "python/requirements.txt")


@contextmanager
def once(lock: Path, copy: Path):
    """Whether a lock is another than the one that was installed; a copy of it is kept when that has gone well."""
    yield not (copy.exists() and filecmp.cmp(lock, copy, shallow=False))
    shutil.copy(lock, copy)
