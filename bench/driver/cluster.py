#!/usr/bin/env python3
"""A PostgreSQL server of the benchmark's own: durable as PostgreSQL is by default, on a free port of loopback.

  driver/cluster.py start|stop     start tells where it is
"""

import os
import pwd
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from place import PLACE

HOME = PLACE / "postgres"
DATA = HOME / "data"
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 1GB
max_wal_size = 4GB
"""


def programs() -> Path:
    """The folder of the newest server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda bin: float(bin.parent.name), reverse=True)
    if named := shutil.which("postgres"):
        found.append(Path(named).resolve().parent)
    for folder in found:
        if (folder / "initdb").exists():
            return folder
    sys.exit("there is no PostgreSQL server: install one (Debian: apt-get install postgresql)")


def run(program: str, *args: str, **kwargs) -> subprocess.CompletedProcess:
    return subprocess.run([programs() / program, *args], check=True, cwd="/", **kwargs)


def account() -> dict:
    """As whom the server runs: PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def running() -> bool:
    if not DATA.exists():
        return False
    status = [programs() / "pg_ctl", "-D", DATA, "status"]
    return subprocess.run(status, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **account()).returncode == 0


def start() -> None:
    if not DATA.exists():
        HOME.mkdir(parents=True, exist_ok=True)
        if mine := account():
            os.chown(HOME, mine["user"], mine["group"])
        run("initdb", "-D", DATA, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", stdout=subprocess.DEVNULL, **account())
        with open(DATA / "postgresql.conf", "a") as conf:
            conf.write(SETTINGS)
    if not running():
        run("pg_ctl", "-D", DATA, "-l", HOME / "log", "-o", f"-p {free_port()}", "-w", "start", stdout=subprocess.DEVNULL, **account())


def stop() -> None:
    if running():
        run("pg_ctl", "-D", DATA, "-m", "fast", "stop", stdout=subprocess.DEVNULL, **account())


def url(database: str) -> str:
    port = (DATA / "postmaster.pid").read_text().splitlines()[3]
    return f"postgres://postgres@127.0.0.1:{port}/{database}"


def sql(database: str, *statements: str, stdin=None) -> str:
    """Runs statements, each by itself; `stdin` is what a COPY reads."""
    commands = [part for statement in ("SET client_min_messages = warning", *statements) for part in ("-c", statement)]
    options = ["-XqtA", "-v", "ON_ERROR_STOP=1", "-d", url(database)]
    return run("psql", *options, *commands, stdin=stdin, stdout=subprocess.PIPE, text=True).stdout.strip()


def exists(database: str) -> bool:
    return sql("postgres", f"SELECT 1 FROM pg_database WHERE datname = '{database}'") == "1"


def copy(template: str, database: str) -> None:
    """Replaces a database by a copy of another."""
    sql(
        "postgres",
        f"DROP DATABASE IF EXISTS {database} WITH (FORCE)",
        f"CREATE DATABASE {database} TEMPLATE {template}",
        "CHECKPOINT",
    )


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["start"]:
            start()
            print(url("postgres"))
        case ["stop"]:
            stop()
        case _:
            sys.exit(__doc__)
