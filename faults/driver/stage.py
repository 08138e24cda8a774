"""What a scenario runs on: a folder, a database, the host, and what makes faults."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

from host import Broken, Host, binary
from load import Load
from postgres import Postgres
from proxy import Proxy
from readback import look
from rows import Row
from shim import Shim


class Stage:
    """Begins with the host ready. Ends everything that it has begun; the folder of a run that could not go on is kept."""

    def __init__(self, engine: str, shim_on: str = "", is_proxied: bool = False, env: dict[str, str] | None = None):
        self.engine = engine
        self.folder = Path(tempfile.mkdtemp(prefix="liveness-faults-"))
        self.folder.chmod(0o755)
        self.shim = Shim(self.folder) if shim_on else None
        self.postgres = self.proxy = None
        self.file = self.folder / "liveness.db"
        url = f"sqlite://{self.file}"
        if engine == "postgres":
            self.postgres = Postgres(self.folder, self.shim.env if shim_on == "server" else None)
            if is_proxied:
                self.proxy = Proxy(self.postgres.port, 1)
            url = self.postgres.url(self.proxy and self.proxy.port)
        self.host = Host(self.folder, url, (env or {}) | (self.shim.env if shim_on == "host" else {}))
        self.users = 1
        self.loads: list[Load] = []

    def __enter__(self):
        try:
            self.host.start()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, kind, error, trace) -> None:
        if self.shim:
            self.shim.set()
        for load in self.loads:
            load.is_over.set()
        self.host.stop()
        if self.proxy:
            self.proxy.close()
        if self.postgres:
            self.postgres.stop()
        if error or os.environ.get("FAULTS_KEEP"):
            print(f"what is left of the run is in {self.folder}", flush=True)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def load(self, row: Row, name: str, callers: int = 8, users: int = 1, kind: type[Load] = Load, **more) -> Load:
        """Begins a load of users that nobody else has."""
        load = kind(self.host, row, name, self.users, callers, users, **more)
        self.users += callers * users
        self.loads.append(load)
        return load

    def last_look(self) -> Row:
        """Kills the host once more, and reads everything back that all loads have left."""
        row = Row("all of these, after a last kill -9", self.engine, rounds=1)
        self.host.check()
        self.host.kill()
        self.host.start()
        for load in self.loads:
            look(self.host, load, row)
        self.host.stop()
        if self.engine == "sqlite":
            found = sqlite3.connect(self.file).execute("PRAGMA integrity_check").fetchall()
            if found != [("ok",)]:
                raise Broken(f"the database file is damaged: {found[:3]}")
        self.verify_trail()
        return row

    def verify_trail(self) -> None:
        """Nobody has changed a row, so no fault may look as if somebody had."""
        env = {name: value for name, value in self.host.env.items() if name != "LD_PRELOAD"}
        done = subprocess.run([binary(), "trail", "verify"], env=env, cwd=self.folder, text=True, capture_output=True)
        if done.returncode != 0:
            raise Broken(f"the audit trail looks tampered with: {(done.stdout + done.stderr).splitlines()[:3]}")
