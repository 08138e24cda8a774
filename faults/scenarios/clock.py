"""A wall clock that jumps by a day, forward and back, while the monotonic clock goes on."""

import json
import time

from calls import token
from load import Caller, Load
from readback import settle
from reports import Report
from rows import Row
from stage import Stage

ROUNDS = 5
DAY = 86_400
JUMPS = [("a day forward", 0, DAY), ("a day back again", DAY, 0), ("a day back", 0, -DAY), ("a day forward again", -DAY, 0)]
LIMIT = 10
LASTS = 2


class Asking(Load):
    """Asks after each report for the status, which is that of the report if it was a success."""

    def after(self, caller: Caller, report: Report) -> None:
        _, body, _, _ = report.made()
        status = caller.ask("CheckLivenessStatusQuery", {}, report.user)
        is_success = body["isSuccessful"] and body["metadata"]["verificationResult"] is not False
        if is_success and status["SessionId"] != body["sessionId"]:
            self.row.problem(f"after the success of {report.name} the status is that of {status['SessionId']}")
        shown = caller.ask("GetUserLivenessCheckQuery", {"userId": report.user})
        is_verified = body["isSuccessful"] and body["metadata"]["verificationResult"] is True
        if shown["HasCompletedLivenessCheck"] != is_verified:
            self.row.problem(f"after {report.name} the user's latest record is another")


def run(engine: str, rounds: int, seed: int, is_short: bool = False) -> list[Row]:
    jumps = JUMPS[:: 2 if is_short else 1]
    rows = [Row(name, engine) for name, _, _ in jumps]
    with Stage(engine, shim_on="host", env={"LIVENESS_RATE_LIMIT": f"{LIMIT}/s"}) as stage:
        # Acknowledged before any jump; its key is known on each day.
        old = Report(stage.users, f"clock-{seed}-old")
        stage.users += 1
        Caller(stage.host.port).report(old, rows[0])
        for number in range(rounds):
            for row, (_, before, after) in zip(rows, jumps, strict=True):
                row.rounds += 1
                one_jump(stage, row, f"clock-{seed}-{rows.index(row)}-{number}", before, after, old)
        stage.shim.set()
        return [*rows, stage.last_look()]


def one_jump(stage: Stage, row: Row, name: str, before: int, after: int, old: Report) -> None:
    stage.shim.set(clock=before)
    # Many users and a pause: each of them stays below the limit.
    load = stage.load(row, name, callers=4, users=16, kind=Asking, pause=0.02)
    load.wait_for(20)
    stage.shim.set(clock=after)
    load.recovered(time.monotonic())
    caller = Caller(stage.host.port)
    tokens_follow(caller, row, after)
    caller.report(old, row)
    limits_hold(caller, row, stage)
    time.sleep(LASTS)
    load.wait_for(20)
    load.stop()
    stage.host.check()
    settle(stage.host, load, row)


def tokens_follow(caller: Caller, row: Row, offset: int) -> None:
    """A token of 12 hours around each day is good on that day only."""
    for day in (-DAY, 0, DAY):
        bearer = token(1, "admin", DAY // 2, time.time() + day - DAY // 4)
        status, _, _ = caller.send("RetrieveLivenessChecksQuery", b"{}", bearer)
        if status != (200 if day == offset else 401):
            row.problem(f"with the clock {offset} s off, a token that is good {day} s off is {status}")


def limits_hold(caller: Caller, row: Row, stage: Stage) -> None:
    """Nobody is kept out for a day, and nobody may send without a limit."""
    user, body = stage.users, json.dumps({}).encode()
    stage.users += 1
    for _ in range(LIMIT * 3):
        status, _, headers = caller.send("CheckLivenessStatusQuery", body, caller.bearer(user, "customer"))
        if status == 429:
            break
    else:
        return row.problem(f"{LIMIT * 3} requests at once are not too many")
    wait = int(headers["Retry-After"])
    if wait > 2:
        return row.problem(f"after the limit one has to wait for {wait} s")
    time.sleep(wait)
    status, _, _ = caller.send("CheckLivenessStatusQuery", body, caller.bearer(user, "customer"))
    if status != 200:
        row.problem(f"after the wait of {wait} s the answer is {status}")
