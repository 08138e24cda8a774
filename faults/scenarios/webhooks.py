"""Webhooks, while the host is killed in the middle of them, and the receiver is slow, wrong, away, or redirects.

Acknowledged are events of records that were acknowledged, read back whole those that the receiver has verified and answered well,
and `twice` is how many of them came again. That is allowed: they are delivered at least once.
"""

import random
import time

from host import Broken
from receiver import Receiver
from rows import Row
from stage import Stage

ROUNDS = 5
# What each record is told in, at least.
TYPES = ("liveness.check.recorded", "liveness.check.judged")
KILL, SLOW, AWAY = "kill -9 of the host, in the middle of webhooks", "each answer takes 0.5 s", "the receiver is away"
# An answer to the first attempt of each event.
ANSWERS = {"each event is first answered 500": 500, "each event is first redirected": 307, "each event is first told to wait (503)": 503}
PATIENCE = 120


def run(engine: str, rounds: int, seed: int, is_short: bool = False) -> list[Row]:
    chance = random.Random(seed)
    kinds = [KILL] if is_short else [KILL, SLOW, AWAY, *ANSWERS]
    rows = {kind: Row(kind, engine, frozenset({200, "none", "sent", "twice"})) for kind in kinds}
    receiver = Receiver()
    env = {"LIVENESS_WEBHOOK_URL": receiver.url(), "LIVENESS_WEBHOOK_SECRET": receiver.secret}
    receiver.start()
    with Stage(engine, env=env) as stage:
        for kind in kinds:
            for number in range(rounds):
                rows[kind].rounds += 1
                one_round(stage, receiver, kind, rows[kind], f"webhooks-{seed}-{kinds.index(kind)}-{number}", chance)
        stage.host.check()
    receiver.stop()
    return list(rows.values())


def one_round(stage: Stage, receiver: Receiver, kind: str, row: Row, name: str, chance: random.Random) -> None:
    before = sum(receiver.attempts.values()), sum(receiver.received.values()) - len(receiver.received)
    receiver.first, receiver.pause = ANSWERS.get(kind, 204), 0.5 if kind == SLOW else 0.02
    # Each event that fails at first takes 5 s more.
    load = stage.load(row, name, callers=4, pause=0.3 if kind in ANSWERS else 0.05)
    load.wait_for(4 if kind in ANSWERS else 20)
    if kind == KILL:
        wait_until("a webhook is on its way", lambda: sum(receiver.attempts.values()) > before[0])
        time.sleep(chance.uniform(0, 0.3))
        stage.host.kill()
        load.stop()
        began = time.monotonic()
        stage.host.start()
    elif kind == AWAY:
        receiver.stop()
        time.sleep(chance.uniform(0.5, 2))
        receiver.start()
        began = time.monotonic()
        load.stop()
    else:
        load.stop()
        began = time.monotonic()
    checks = {report.data["id"]: report.user for reports in load.reports.values() for report in reports if report.data}
    wanted = [(check, event_type) for check in checks for event_type in TYPES]
    wait_until("all webhooks", lambda: all(key in receiver.told for key in wanted), lambda: lost(receiver, wanted, row))
    row.recovered(time.monotonic() - began)
    row.acknowledged += len(wanted)
    row.whole += sum(key in receiver.told for key in wanted)
    row.answers["sent"] += sum(receiver.attempts.values()) - before[0]
    if twice := sum(receiver.received.values()) - len(receiver.received) - before[1]:
        row.answers["twice"] += twice
    row.problems += receiver.problems
    receiver.problems = []
    row.doubled += [f"{key} is told by {ids}" for key, ids in receiver.told.items() if len(ids) > 1]
    row.problems += out_of_order(receiver, set(checks.values()))


def out_of_order(receiver: Receiver, users: set[int]) -> list[str]:
    """Users whose records were told in another order than they were made."""
    told = {user: [event["data"]["checkId"] for event in receiver.of_user.get(user, []) if event["type"] == TYPES[0]] for user in users}
    return [f"the events of user {user} are out of order: {checks}" for user, checks in told.items() if checks != sorted(checks)]


def lost(receiver: Receiver, wanted: list, row: Row) -> None:
    row.lost += [f"{key}" for key in wanted if key not in receiver.told]


def wait_until(what: str, is_so, otherwise=None) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            if otherwise:
                return otherwise()
            raise Broken(f"{what}: not within {PATIENCE} s")
        time.sleep(0.02)
