"""Our server as a process that is started, killed and started again on the same port and the same database."""

import json
import os
import signal
import subprocess
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from calls import SECRET
from postgres import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 60


class Broken(Exception):
    """What must not happen, whatever the fault: the run cannot go on."""


def binary() -> Path:
    """LIVENESS_HTTP, or else what was built last."""
    if named := os.environ.get("LIVENESS_HTTP"):
        return Path(named)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    built = [file for kind in ("release", "debug") if (file := target / kind / "liveness-http").exists()]
    if not built:
        raise SystemExit("there is no liveness-http: run cargo build, or name a binary in LIVENESS_HTTP")
    return max(built, key=lambda file: file.stat().st_mtime)


class Host:
    def __init__(self, folder: Path, url: str, env: dict[str, str] | None = None):
        self.port = free_port()
        self.log = folder / "host.log"
        own = {
            "LIVENESS_BIND": f"127.0.0.1:{self.port}", "LIVENESS_DATABASE_URL": url, "LIVENESS_JWT_SECRET": SECRET,
            # The load is one address.
            "LIVENESS_MAX_CONNECTIONS": "1024",
        }
        # Beside a SQLite file it makes one; with PostgreSQL it has to be given one.
        key = folder / "trail.pem"
        if not url.startswith("sqlite:"):
            if not key.exists():
                subprocess.run([binary(), "trail", "key", "--new", key], check=True, stdout=subprocess.DEVNULL)
            own["LIVENESS_TRAIL_KEY_FILE"] = str(key)
        others = {name: value for name, value in os.environ.items() if not name.startswith("LIVENESS_")}
        self.env = others | own | (env or {})
        self.process = None

    def start(self) -> None:
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([binary(), "serve"], env=self.env, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while not self.is_ready():
            self.check()
            if time.monotonic() > deadline:
                raise Broken(f"the host is not ready after {PATIENCE} s")
            time.sleep(0.005)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def check(self) -> None:
        """It lives, and nothing in it has panicked."""
        if (code := self.process.poll()) is not None:
            raise Broken(f"the host has ended by itself, with {code}")
        with open(self.log, errors="replace") as log:
            if panic := next((line for line in log if "panicked" in line), None):
                raise Broken(f"the host panicked: {panic.strip()}")

    def is_ready(self) -> bool:
        try:
            return self.get("/health/ready")[0] == 200
        except (OSError, HTTPException):
            return False

    def get(self, path: str) -> tuple[int, dict]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()
