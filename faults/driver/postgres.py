"""A PostgreSQL server of a scenario's own, as durable as it is by default. It is killed whole, and started again."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from machine import family

SETTINGS = {
    "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "100", "lc_messages": "C",
    # Small, so that the load makes new files of the log, and checkpoints.
    "max_wal_size": "64MB", "min_wal_size": "32MB",
}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def programs() -> Path:
    """The folder of the newest server's programs. Debian's package is installed where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda program: int(program.parent.parent.name))
    if found:
        return found[-1].parent
    if named := shutil.which("initdb"):
        return Path(named).resolve().parent
    if os.getuid() != 0 or not shutil.which("apt-get"):
        sys.exit("there is no PostgreSQL server: install one (Debian: apt-get install postgresql)")
    install = "apt-get update -q && apt-get install -y -q --no-install-recommends postgresql && service postgresql stop"
    subprocess.run(["sh", "-c", install], check=True, stdout=sys.stderr)
    return programs()


def account() -> dict:
    """As whom the server runs: PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class Postgres:
    def __init__(self, folder: Path, env: dict[str, str] | None = None):
        self.home = folder / "postgres"
        self.env = os.environ | (env or {})
        self.port = free_port()
        self.process = None
        self.is_kept_up = threading.Event()
        self.keeper = None
        self.home.mkdir()
        if mine := account():
            os.chown(self.home, mine["user"], mine["group"])
        options = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        subprocess.run([programs() / "initdb", "-D", self.home / "data", *options], check=True, stdout=subprocess.DEVNULL, cwd="/", **account())
        self.start()
        self.sql("CREATE DATABASE liveness", "postgres")

    def url(self, port: int | None = None) -> str:
        return f"postgres://postgres@127.0.0.1:{port or self.port}/liveness"

    def spawn(self) -> None:
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command = [programs() / "postgres", "-D", self.home / "data", "-p", str(self.port), *settings]
        with open(self.home / "log", "ab") as log:
            self.process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log, cwd="/", **account())

    def start(self) -> None:
        self.spawn()
        self.wait()

    def wait(self) -> None:
        ready = [programs() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        deadline = time.monotonic() + 60
        while subprocess.run(ready).returncode != 0:
            if time.monotonic() > deadline:
                sys.exit(f"PostgreSQL does not start: see {self.home}/log")
            time.sleep(0.01)

    def kill(self) -> None:
        """The postmaster first, then its children, as when the machine stops; none of them is asked."""
        processes = family(self.process.pid)
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.is_kept_up.clear()
        if self.keeper:
            self.keeper.join()
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()

    def keep_up(self) -> None:
        """Starts it again whenever it has ended, as a service manager does."""
        self.is_kept_up.set()

        def watch():
            while self.is_kept_up.is_set():
                if self.process.poll() is not None:
                    self.spawn()
                time.sleep(0.2)

        self.keeper = threading.Thread(target=watch, daemon=True)
        self.keeper.start()

    def sql(self, statement: str, database: str = "liveness") -> str:
        program = programs() / "psql"
        url = f"postgres://postgres@127.0.0.1:{self.port}/{database}"
        done = subprocess.run([program, "-XqtA", "-d", url, "-c", statement], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return done.stdout.strip()
