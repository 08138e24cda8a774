"""The servers that are compared: each is seeded and started by a hook, and measured from outside."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field

import cluster
import machine
from calls import Caller, token
from place import BENCH, PLACE


@dataclass
class Server:
    name: str
    hook: list[str]
    database: str | None
    port: int = field(default_factory=cluster.free_port)
    pid: int | None = None

    @property
    def caller(self) -> Caller:
        return Caller(self.port)

    @property
    def engine(self) -> str:
        return self.hook[-1]

    def run_hook(self, *verb: str) -> str:
        command = [BENCH / self.hook[0], *self.hook[1:], str(self.port), *verb]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=BENCH).stdout

    def seed(self, dataset: str) -> None:
        self.run_hook("seed", dataset)

    def start(self) -> float:
        """Milliseconds until its first answer."""
        pid, began = self.run_hook("start").split()
        self.pid, customer = int(pid), token(1, "customer")
        while time.time() < float(began) + 30 and machine.alive(self.pid):
            try:
                if self.caller.send("CheckLivenessStatusQuery", {}, customer)[0] == 200:
                    return (time.time() - float(began)) * 1e3
            except OSError:
                pass
            time.sleep(0.002)
        sys.exit(f"{self.name} did not answer within 30 s: see {PLACE}/*.log")

    def stop(self) -> None:
        """In good order if it ends within 10 s."""
        if self.pid is None:
            return
        family = machine.family(self.pid)
        os.kill(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + 10
        while any(map(machine.alive, family)) and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in filter(machine.alive, family):
            os.kill(pid, signal.SIGKILL)
        self.pid = None

    def rows(self) -> int:
        """How many records there are, counted in the database."""
        count = "SELECT count(*) FROM liveness_checks"
        if self.engine == "postgres":
            return int(cluster.sql(self.database, count))
        db = sqlite3.connect(f"file:{PLACE / self.database}.db?mode=ro", uri=True)
        try:
            return db.execute(count).fetchone()[0]
        finally:
            db.close()


def servers() -> list[Server]:
    return [
        Server("ours-sqlite", ["hook", "sqlite"], "ours"),
        Server("ours-pg", ["hook", "postgres"], "ours"),
        Server("node-sqlite", ["peer", "node", "sqlite"], "peer"),
        Server("node-sqlite-2", ["peer", "node-cluster", "sqlite"], "peer"),
        Server("node-pg", ["peer", "node-cluster", "postgres"], "peer"),
        Server("python-sqlite", ["peer", "python", "sqlite"], "peer"),
        Server("python-pg", ["peer", "python", "postgres"], "peer"),
        Server("actix-bare", ["peer", "actix", "none"], None),
    ]
