"""A network between the host and PostgreSQL that is slow, cuts connections in the middle of a commit, and goes silent."""

import time

from host import Broken
from readback import settle
from rows import Row
from stage import Stage

ROUNDS = 5
# The fault, what the proxy does, for how many seconds, and whether the connections are cut at its end.
FAULTS = [
    ("each message takes 200 ms", ("delay", 0.2), 4, False),
    ("each message takes 3 s", ("delay", 3.0), 12, False),
    ("RST before a COMMIT arrives", ("cut-before",), 2, False),
    ("RST after a COMMIT has arrived", ("cut-after",), 2, False),
    ("silence, then all arrives", ("silent",), 12, False),
    ("silence, then RST", ("silent",), 12, True),
]


def run(engine: str, rounds: int, seed: int, is_short: bool = False) -> list[Row]:
    rows = []
    with Stage(engine, is_proxied=True) as stage:
        for place, (name, mode, seconds, is_cut) in enumerate(FAULTS[:: 2 if is_short else 1]):
            row = Row(name, engine)
            rows.append(row)
            for number in range(rounds):
                row.rounds += 1
                load = stage.load(row, f"network-{seed}-{place}-{number}")
                load.wait_for(20)
                stage.proxy.set(*mode)
                time.sleep(seconds / 2 if is_short else seconds)
                if not stage.proxy.hits:
                    raise Broken("nothing met the fault")
                stage.proxy.set("pass")
                if is_cut:
                    stage.proxy.reset()
                load.recovered(time.monotonic())
                load.stop()
                stage.host.check()
                settle(stage.host, load, row)
        return [*rows, stage.last_look()]
