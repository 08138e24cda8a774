"""Whether everything that was acknowledged is there, whole and once, and everything else at most once."""

import time
from concurrent.futures import ThreadPoolExecutor
from random import Random

from host import Host
from load import Caller, Load
from reports import Report
from rows import Row

READERS = 8


def settle(host: Host, load: Load, row: Row) -> None:
    """Sends again what was not acknowledged, and some of what was; then all of it must be there."""
    per_reader(host, load, lambda caller, user, reports: repeat(caller, user, reports, row))
    look(host, load, row)


def look(host: Host, load: Load, row: Row) -> None:
    """Reads back all reports of a load, which are all acknowledged, and each record by itself."""
    per_reader(host, load, lambda caller, user, reports: read_back(caller, user, reports, row))


def per_reader(host: Host, load: Load, work) -> None:
    def some(place: int) -> None:
        caller = Caller(host.port)
        for user in sorted(load.reports)[place::READERS]:
            work(caller, user, load.reports[user])
        caller.close()

    with ThreadPoolExecutor(READERS) as pool:
        list(pool.map(some, range(READERS)))


def listed(caller: Caller, user: int) -> list[dict]:
    """All records of a user, newest first."""
    items, number = [], 1
    while True:
        page = caller.ask("RetrieveLivenessChecksQuery", {"selfServiceUserId": user, "pageNumber": number, "pageSize": 100})
        items += page["Items"]
        if not page["HasNextPage"]:
            return items
        number += 1


def repeat(caller: Caller, user: int, reports: list[Report], row: Row) -> None:
    before = {item["ImagePath"]: item["Id"] for item in listed(caller, user)}
    for report in reports:
        there = before.get(report.path())
        if report.data is None:
            if there and report.is_refused:
                row.problem(f"{report.name}: it was refused, but it is recorded as {there}")
            for _ in range(50):
                if caller.report(report, row) == 200:
                    break
                time.sleep(0.2)
            else:
                row.problem(f"{report.name}: its repetition is not acknowledged")
                continue
            if there and report.data["id"] != there:
                row.doubled.append(f"{report.name} was recorded as {there}, and its repetition as {report.data['id']}")
        # What was acknowledged has the same answer again, now and then.
        elif Random(report.name).random() < 0.1:
            caller.report(report, row)


def read_back(caller: Caller, user: int, reports: list[Report], row: Row) -> None:
    items = listed(caller, user)
    found: dict[str, list[int]] = {}
    for item in items:
        found.setdefault(item["ImagePath"], []).append(item["Id"])
    for path, ids in found.items():
        if len(ids) > 1:
            row.doubled.append(f"{path} is recorded as {ids}")
    known = {report.path() for report in reports}
    row.doubled.extend(f"{path} was never sent" for path in found if path not in known)
    dates = [item["CreatedAt"] for item in items]
    if dates != sorted(dates, key=lambda date: date.replace("Z", "" if "." in date else ".000"), reverse=True):
        row.problem(f"the records of user {user} are not listed by their time")
    in_turn = [report.path() for report in reversed(reports) if report.is_first]
    if [item["ImagePath"] for item in items if item["ImagePath"] in set(in_turn)] != in_turn:
        row.problem(f"the records of user {user} are not in the order in which they were acknowledged")
    acknowledged = [report for report in reports if report.data is not None]
    for report in acknowledged:
        wrong = lost_in(caller, report, found.get(report.path(), []))
        with row.lock:
            row.acknowledged += 1
            if wrong:
                row.lost.append(f"{report.name}: {wrong}")
            else:
                row.whole += 1


def lost_in(caller: Caller, report: Report, ids: list[int]) -> str:
    """What is wrong with the record of a report; nothing where it is whole."""
    if report.data["id"] not in ids:
        return f"record {report.data['id']} is not in the list"
    shown = caller.ask("GetLivenessCheckQuery", {"id": report.data["id"]})
    if shown["UserId"] != report.user:
        return f"record {report.data['id']} is of user {shown['UserId']}"
    return ", ".join(report.differs(shown["LivenessCheck"]))
