#!/usr/bin/env python3
"""The receiver of .ci/webhooks. It has each request verified by the receivers that docs/api.md shows, then answers by turns well and badly."""

import base64
import json
import os
import secrets
import shlex
import socket
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

HOST, SECRET = os.environ["LIVENESS_URL"], Path(os.environ["LIVENESS_WEBHOOK_SECRET_FILE"])
PORT, PATIENCE = urlsplit(os.environ["LIVENESS_WEBHOOK_URL"]).port, 30
PATH = os.environ["LIVENESS_WEBHOOK_URL"].removeprefix(f"http://127.0.0.1:{PORT}")


def wait(what: str, found):
    """What `found` gives, once it gives something."""
    deadline = time.monotonic() + PATIENCE
    while not (thing := found()):
        if time.monotonic() > deadline:
            sys.exit(f"{what}: not within {PATIENCE} s")
        time.sleep(0.02)
    return thing


class Verifiers:
    """Both receivers of the document, with one secret."""

    def __init__(self, secret: str):
        self.ports, self.processes = {}, []
        for name in ("node", "python"):
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                self.ports[name] = taken.getsockname()[1]
            env = os.environ | {"WEBHOOK_SECRET": secret, "PORT": str(self.ports[name])}
            command = shlex.split(os.environ[f"WEBHOOKS_{name.upper()}"])
            self.processes.append(subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
        for port in self.ports.values():
            wait("a receiver of docs/api.md listens", lambda port=port: not socket.socket().connect_ex(("127.0.0.1", port)))

    def answers(self, headers: dict, body: bytes) -> dict:
        found = {}
        for name, port in self.ports.items():
            connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            connection.request("POST", "/", body, headers)
            found[name] = connection.getresponse().status
            connection.close()
        return found

    def good(self, got) -> bool:
        answers = set(self.answers(got.headers, got.body).values())
        if answers not in ({204}, {401}):
            sys.exit(f"the receivers do not agree: {answers}")
        return answers == {204}

    def end(self) -> list[list[str]]:
        """Ends them, and gives what each has printed."""
        for process in self.processes:
            process.terminate()
        return [process.communicate()[0].decode().splitlines() for process in self.processes]


class Got:
    """A request."""

    def __init__(self, headers: dict, body: bytes, path: str, status: int):
        self.headers, self.body, self.path, self.status = headers, body, path, status
        self.id, self.event = headers["webhook-id"], json.loads(body)
        self.user, self.at = self.event["data"]["userId"], time.monotonic()


ALL: list[Got] = []
# How the next ones are answered: a status, headers, and the seconds before. Afterwards they are answered well.
NEXT: list[tuple[int, dict, float]] = []
LOCK = threading.Lock()


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with LOCK:
            status, headers, pause = NEXT.pop(0) if NEXT else (204, {}, 0)
            ALL.append(Got({name.lower(): value for name, value in self.headers.items()}, body, self.path, status))
        time.sleep(pause)
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_):
        pass


def record(session: str) -> int:
    """Records a check, which is told in events. Returns its id."""
    body = json.dumps({"sessionId": session, "isSuccessful": True, "metadata": {"verificationResult": True}}).encode()
    head = {"Authorization": f"Bearer {os.environ['CUSTOMER']}", "Content-Type": "application/json"}
    with urlopen(Request(f"{HOST}/api/BPMSelfService/commands/SubmitLivenessCheckCommand", body, head)) as answer:
        return json.load(answer)["data"]["id"]


def delivered(check: int) -> list[Got]:
    """What was answered well of a check, once it was recorded and judged there."""
    def found():
        with LOCK:
            of_check = [got for got in ALL if got.event["data"]["checkId"] == check and got.status == 204]
        types = {got.event["type"] for got in of_check}
        return of_check if {"liveness.check.recorded", "liveness.check.judged"} <= types else None

    return wait(f"the events of check {check}", found)


def stale() -> float:
    """Whether the file of the secrets has changed and cannot be used, as the host tells."""
    with urlopen(f"{HOST}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    [line] = [line for line in lines if line.startswith('liveness_stale_files{setting="LIVENESS_WEBHOOK_SECRET_FILE"}')]
    return float(line.split()[-1])


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def changed(text: str, place: int) -> str:
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]


def refuses_a_changed_byte(verifiers: Verifiers, got: Got) -> None:
    body = bytearray(got.body)
    body[-3] ^= 1
    head = got.headers
    others = {
        "body": (head, bytes(body)),
        "id": (head | {"webhook-id": changed(got.id, len(got.id) - 1)}, got.body),
        "timestamp": (head | {"webhook-timestamp": str(int(head["webhook-timestamp"]) + 1)}, got.body),
        "signature": (head | {"webhook-signature": changed(head["webhook-signature"], 9)}, got.body),
    }
    for name, (headers, other) in others.items():
        answers = verifiers.answers(headers, other)
        assert set(answers.values()) == {401}, f"a changed byte of the {name} is answered with {answers}"
    print(f"a changed byte of {', '.join(others)} is refused by both", flush=True)


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    old = SECRET.read_text().strip()
    with_old = Verifiers(old)

    first = delivered(record("webhooks-1"))
    assert all(with_old.good(got) for got in first), "an event is not verified"
    assert all(got.path == PATH for got in ALL), "the path is another"
    refuses_a_changed_byte(with_old, first[0])

    # Each is the first attempt of another event, so that the second comes after 5 s.
    begun = len(ALL)
    for number, bad in enumerate([(500, {}, 0), (307, {"Location": f"http://127.0.0.1:{PORT}/elsewhere"}, 0), (503, {"Retry-After": "1"}, 0), (204, {}, 1)]):
        NEXT.append(bad)
        record(f"webhooks-bad-{number}")
        wait("an attempt", lambda: not NEXT)
        check = record(f"webhooks-after-{number}")
        delivered(check)
    tried = ALL[begun:]
    for got in tried:
        assert got.path == PATH, "a redirect was followed"
        assert with_old.good(got), "an attempt is not verified"
    failed = [got for got in tried if got.status != 204]
    assert [got.status for got in failed] == [500, 307, 503], failed
    for got in failed:
        [again] = [other for other in tried if other.id == got.id and other is not got]
        assert again.body == got.body and again.headers["webhook-timestamp"] > got.headers["webhook-timestamp"], got.id
    # The events of the user came in order: their times do not go back, except where one came again.
    times = [got.event["timestamp"] for got in tried if got.status == 204]
    assert times == sorted(times, key=lambda time: time.replace("Z", "" if "." in time else ".000")), times
    print(f"{len(tried)} attempts are verified by both; 500, 307, 503 and a slow answer lose nothing, and a redirect is not followed", flush=True)

    # The secret is replaced: both sign side by side, then the new one alone.
    new = new_secret()
    with_new = Verifiers(new)
    number = 0

    def signed(by_old: bool, by_new: bool):
        nonlocal number
        number += 1
        of_check = delivered(record(f"webhooks-secret-{number}"))
        return of_check if all((with_old.good(got), with_new.good(got)) == (by_old, by_new) for got in of_check) else None

    assert signed(True, False), "somebody verifies what was not signed for it"
    SECRET.write_text(f"{new} {old}\n")
    [two, *_] = wait("both secrets sign", lambda: signed(True, True))
    refuses_a_changed_byte(with_new, two)
    SECRET.write_text("not a secret\n")
    wait("the file is told to be broken", lambda: stale() == 1)
    assert signed(True, True), "a file that holds no secret takes the good ones away"
    SECRET.write_text(f"{new}\n")
    wait("the new secret signs alone", lambda: signed(False, True))
    print("a secret is replaced: two signatures, then that of the new one; a broken file changes nothing", flush=True)

    printed = with_old.end() + with_new.end()
    assert all(printed) and all("liveness.check.recorded 1234 None" in lines for lines in (printed[1], printed[3])), printed
    events = {got.id for got in ALL}
    good = {got.id for got in ALL if got.status == 204}
    print(f"{len(events)} events in {len(ALL)} attempts; lost: {len(events - good)}", flush=True)
    assert events == good


main()
