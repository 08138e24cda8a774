"""A disk that fails under load, for a while: EIO and ENOSPC at fsync and at write."""

import errno
import threading
import time

from host import Broken
from readback import settle
from rows import Row
from stage import Stage

ROUNDS = 5
LASTS = 1.5
# Faces so large that the log fills fast, and is copied into the file.
FACE_BYTES = {"sqlite": 150_000, "postgres": 40_000}

EIO, FULL = errno.EIO, errno.ENOSPC
# The fault, the files, and which calls fail.
FAULTS = {
    "sqlite": [
        ("fsync of the -wal is EIO", "*-wal", {"fsync": EIO}),
        ("write to the -wal is EIO", "*-wal", {"write": EIO}),
        ("write to the -wal is ENOSPC", "*-wal", {"write": FULL}),
        ("fsync of the database is EIO", "*/liveness.db", {"fsync": EIO}),
        ("write to the database is EIO", "*/liveness.db", {"write": EIO}),
        ("write to the database is ENOSPC", "*/liveness.db", {"write": FULL}),
        ("write and fsync of both are EIO", "*/liveness.db*", {"fsync": EIO, "write": EIO}),
        ("write and fsync of both are ENOSPC", "*/liveness.db*", {"fsync": FULL, "write": FULL}),
    ],
    "postgres": [
        ("fsync of pg_wal is EIO", "*/pg_wal/*", {"fsync": EIO}),
        ("write to pg_wal is EIO", "*/pg_wal/*", {"write": EIO}),
        ("write to pg_wal is ENOSPC", "*/pg_wal/*", {"write": FULL}),
        ("fsync of base is EIO", "*/base/*", {"fsync": EIO}),
        ("write to base is EIO", "*/base/*", {"write": EIO}),
        ("write to base is ENOSPC", "*/base/*", {"write": FULL}),
        ("write and fsync of all are ENOSPC", "*/data/*", {"fsync": FULL, "write": FULL}),
    ],
}


def run(engine: str, rounds: int, seed: int, is_short: bool = False) -> list[Row]:
    rows = []
    with Stage(engine, shim_on="server" if engine == "postgres" else "host") as stage:
        if stage.postgres:
            # It ends itself where its log cannot be written, and at its start as long as that lasts.
            stage.postgres.keep_up()
        for place, (name, files, calls) in enumerate(FAULTS[engine][:: 3 if is_short else 1]):
            row = Row(name, engine)
            rows.append(row)
            for number in range(rounds):
                row.rounds += 1
                one_round(stage, row, f"disk-{seed}-{place}-{number}", files, calls)
        return [*rows, stage.last_look()]


def one_round(stage: Stage, row: Row, name: str, files: str, calls: dict[str, int]) -> None:
    load = stage.load(row, name, face_bytes=FACE_BYTES[stage.engine])
    load.wait_for(10)
    stage.shim.set(files, **calls)
    if stage.postgres and "base" in files:
        # Beside the load, and as often as it fails: it may wait for a lock that is not given back.
        threading.Thread(target=stage.postgres.sql, args=("CHECKPOINT",), daemon=True).start()
    met(stage)
    time.sleep(LASTS)
    stage.shim.set()
    load.recovered(time.monotonic())
    load.stop()
    stage.host.check()
    settle(stage.host, load, row)
    if not stage.host.is_ready():
        row.problem("the host is not ready, although it answers")


def met(stage: Stage) -> None:
    """A fault that nobody meets shows nothing."""
    deadline = time.monotonic() + 60
    while not stage.shim.failed():
        if time.monotonic() > deadline:
            raise Broken("no call met the fault within 60 s")
        time.sleep(0.01)
