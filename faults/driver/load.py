"""Phones that report without a pause, whatever happens to the host, and what each of them was answered."""

import itertools
import json
import threading
import time
from contextlib import suppress
from email.message import Message
from http.client import HTTPConnection, HTTPException

from calls import BASE, token
from host import Broken, Host
from reports import USER_AGENT, Report

# Longer than the host takes for any answer: 5 s for the user, 5 s for its turn, and 5 s for the database.
PATIENCE = 20
LIFE = 4 * 86_400
NONE = "none"
# So many that a limit for each does not slow them down.
REVIEWERS = itertools.cycle(range(1_000_000, 1_002_000))


class Caller:
    """One connection, made anew when it breaks. `bearer` is good on the day before and on the day after, too."""

    def __init__(self, port: int):
        self.port, self.connection, self.tokens = port, None, {}

    def bearer(self, user: int, role: str) -> str:
        if (user, role) not in self.tokens:
            self.tokens[user, role] = token(user, role, LIFE, time.time() - 2 * 86_400)
        return self.tokens[user, role]

    def send(self, message: str, body: bytes, bearer: str, key: str | None = None) -> tuple[int, dict, Message]:
        """Status, answer and headers. OSError or HTTPException where there is no whole answer."""
        if not self.connection:
            self.connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        head = {"Content-Type": "application/json", "Authorization": f"Bearer {bearer}", "User-Agent": USER_AGENT}
        if key:
            head["Idempotency-Key"] = key
        try:
            self.connection.request("POST", BASE + message, body, head)
            answer = self.connection.getresponse()
            return answer.status, json.loads(answer.read()), answer.headers
        except (OSError, HTTPException, ValueError) as error:
            self.close()
            raise OSError(str(error)) from error

    def close(self) -> None:
        if self.connection:
            with suppress(OSError):
                self.connection.close()
        self.connection = None

    def report(self, report: Report, row) -> int | str:
        """Sends a report, counts the answer, and keeps what it says. Returns the status."""
        message, body = report.request()
        began = time.monotonic()
        try:
            status, answer, headers = self.send(message, body, self.bearer(report.user, "customer"), report.name)
        except OSError:
            status, answer, headers = NONE, {}, Message()
        row.answered(status, time.monotonic() - began)
        if status == 200:
            if report.data not in (None, answer["data"]):
                row.problem(f"{report.name}: a repetition was answered with {answer['data']}, at first it was {report.data}")
            report.data = report.data or answer["data"]
        elif status == NONE or "outcome is unknown" in answer.get("message", ""):
            report.is_refused = False
        if status == 503 and "Retry-After" not in headers:
            row.problem("a 503 without Retry-After")
        return status

    def ask(self, query: str, body: dict, user: int | None = None) -> dict:
        """What a user is answered, or one of many administrators; tries again while the host is out of breath."""
        bearer = self.bearer(user, "customer") if user else self.bearer(next(REVIEWERS), "admin")
        for _ in range(100):
            with suppress(OSError):
                status, answer, _ = self.send(query, json.dumps(body).encode(), bearer)
                if status == 200:
                    return answer["data"]
                if status != 503:
                    raise Broken(f"{query} of {body} is {status}: {answer}")
            time.sleep(0.1)
        raise Broken(f"{query} of {body} is not answered")


class Load:
    """Callers in threads. Each has users of its own, and reports one thing after the other, so that the order is known."""

    def __init__(self, host: Host, row, name: str, first_user: int, callers: int = 8, users: int = 1, face_bytes: int | None = None, pause: float = 0):
        self.host, self.row, self.name, self.face_bytes, self.pause = host, row, name, face_bytes, pause
        # In the order in which they were sent, for each user.
        self.reports: dict[int, list[Report]] = {}
        self.acknowledged = 0
        self.last_acknowledged = 0.0
        self.is_over = threading.Event()
        self.threads = []
        for caller in range(callers):
            own = [first_user + caller * users + place for place in range(users)]
            self.reports |= {user: [] for user in own}
            self.threads.append(threading.Thread(target=self.run, args=(caller, own), daemon=True))
        for thread in self.threads:
            thread.start()

    def run(self, place: int, users: list[int]) -> None:
        try:
            self.repeat(place, users)
        except Broken as broken:
            self.row.problem(str(broken))

    def repeat(self, place: int, users: list[int]) -> None:
        caller, number = Caller(self.host.port), 0
        while not self.is_over.is_set():
            user = users[number % len(users)]
            report = Report(user, f"{self.name}-{place}-{number}", self.face_bytes)
            number += 1
            self.reports[user].append(report)
            status = caller.report(report, self.row)
            if status == 200:
                report.is_first = True
                self.acknowledged += 1
                self.last_acknowledged = time.monotonic()
                self.after(caller, report)
            else:
                time.sleep(0.05)
            time.sleep(self.pause)
        caller.close()

    def after(self, caller: Caller, report: Report) -> None:
        """What else a caller does once a report is acknowledged."""

    def wait_for(self, more: int, patience: float = 60) -> None:
        enough, deadline = self.acknowledged + more, time.monotonic() + patience
        while self.acknowledged < enough:
            if time.monotonic() > deadline:
                raise Broken(f"there are no {more} more acknowledged reports within {patience} s")
            time.sleep(0.002)

    def recovered(self, began: float) -> None:
        """Waits until it goes on: the first acknowledgement since then tells how long that took."""
        while self.last_acknowledged < began:
            if time.monotonic() > began + 60:
                raise Broken("the host has not recovered within 60 s")
            time.sleep(0.001)
        self.row.recovered(self.last_acknowledged - began)
        self.wait_for(20)

    def stop(self) -> None:
        self.is_over.set()
        for thread in self.threads:
            thread.join()
