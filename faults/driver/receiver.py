"""A receiver of webhooks, which can be slow, down, and wrong, and counts what comes."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from postgres import free_port


class Receiver:
    def __init__(self):
        self.port, self.server = free_port(), None
        self.key = secrets.token_bytes(32)
        self.secret = "whsec_" + base64.b64encode(self.key).decode()
        self.lock = threading.Lock()
        # How often each event was answered well, and in which order those of a user were, by the first time.
        self.received: Counter[str] = Counter()
        self.of_user: dict[int, list[dict]] = {}
        # (check, type): the ids of its events.
        self.told: dict[tuple[int, str], set[str]] = {}
        self.tried: set[str] = set()
        self.attempts: Counter[int] = Counter()
        self.problems: list[str] = []
        # The answer to the first attempt of an event, and how long each answer takes.
        self.first, self.pause = 204, 0.0
        self.is_away = False

    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def start(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if outer.is_away:
                    # Connections that are open outlive the listener.
                    self.close_connection = True
                    return
                time.sleep(outer.pause)
                status = outer.take(self.path, self.headers, body)
                self.send_response(status)
                if status == 307:
                    self.send_header("Location", f"http://127.0.0.1:{outer.port}/elsewhere")
                if status == 503:
                    self.send_header("Retry-After", "2")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

            def handle(self):
                try:
                    super().handle()
                except OSError:
                    # The host was killed.
                    self.close_connection = True

        ThreadingHTTPServer.allow_reuse_address = True
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.is_away = False

    def stop(self) -> None:
        self.is_away = True
        self.server.shutdown()
        self.server.server_close()
        self.server = None

    def take(self, path: str, headers, body: bytes) -> int:
        """Counts a request, and says how it is answered."""
        event_id, at = headers["webhook-id"], headers["webhook-timestamp"]
        signed = hmac.new(self.key, f"{event_id}.{at}.".encode() + body, hashlib.sha256).digest()
        event = json.loads(body)
        data = event["data"]
        with self.lock:
            if headers["webhook-signature"] != "v1," + base64.b64encode(signed).decode():
                self.problems.append(f"the signature of {event_id} is wrong")
            if path != "/hook":
                self.problems.append(f"a redirect was followed: {path}")
            status = self.first if event_id not in self.tried else 204
            self.tried.add(event_id)
            self.attempts[status] += 1
            if status == 204:
                self.received[event_id] += 1
                if self.received[event_id] == 1:
                    self.of_user.setdefault(data["userId"], []).append(event)
                    self.told.setdefault((data["checkId"], event["type"]), set()).add(event_id)
            return status
