"""kill -9 under load: of the host, and of PostgreSQL's server."""

import random
import time

from readback import settle
from rows import Row
from stage import Stage

ROUNDS = 200
HOST, SERVER, BOTH = "kill -9 of the host", "kill -9 of PostgreSQL", "kill -9 of both"


def run(engine: str, rounds: int, seed: int, _is_short: bool = False) -> list[Row]:
    chance = random.Random(seed)
    kinds = [HOST, SERVER, HOST, BOTH] if engine == "postgres" else [HOST]
    rows = {kind: Row(kind, engine, frozenset({200, 503, "none"})) for kind in kinds}
    # The host lives, so it answers.
    if SERVER in rows:
        rows[SERVER].allowed = frozenset({200, 503})
    with Stage(engine) as stage:
        for number in range(rounds):
            kind = kinds[number % len(kinds)]
            rows[kind].rounds += 1
            one_round(stage, kind, rows[kind], f"kill-{seed}-{number}", chance)
        return [*rows.values(), stage.last_look()]


def one_round(stage: Stage, kind: str, row: Row, name: str, chance: random.Random) -> None:
    load = stage.load(row, name)
    load.wait_for(1)
    time.sleep(chance.uniform(0, 0.4))
    if kind == SERVER:
        stage.postgres.kill()
        time.sleep(chance.uniform(0, 0.3))
        stage.postgres.spawn()
        load.recovered(time.monotonic())
        load.stop()
    else:
        victims = [stage.host] if kind == HOST else chance.sample([stage.host, stage.postgres], 2)
        for victim in victims:
            victim.kill()
        load.stop()
        began = time.monotonic()
        if kind == BOTH:
            stage.postgres.spawn()
        stage.host.start()
        first = stage.load(row, f"{name}-first", callers=1)
        first.recovered(began)
        first.stop()
        settle(stage.host, first, row)
    stage.host.check()
    settle(stage.host, load, row)
