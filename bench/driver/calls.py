"""Calls as a phone and an administrator make them: tokens, bodies, answers. Nothing here knows which server answers."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import subprocess
import sys
import time
import urllib.request

from place import PLACE

# Of every server that is measured; children inherit it.
SECRET = os.environ.setdefault("LIVENESS_JWT_SECRET", "bench-only-secret-of-more-than-32-bytes")
BASE = "/api/BPMSelfService/commands/"
DATA_URI = "data:image/jpeg;base64,"
ACTS = ["BLINK", "SMILE", "TURN_LEFT"]


def base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token(user: int, role: str, life: int = 86_400, issued_at: float | None = None) -> str:
    now = int(issued_at or time.time())
    claims = {"iss": "https://issuer.example", "sub": str(user), "role": role, "iat": now, "exp": now + life}
    signed = b".".join(base64url(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return (signed + b"." + base64url(hmac.digest(SECRET.encode(), signed, hashlib.sha256))).decode()


def submission(session: str, image: bytes | None = None, completed_at: str = "2025-01-15T10:00:12.500Z", **changes) -> dict:
    """The body of SubmitLivenessCheckCommand as docs/api.md describes it."""
    metrics = {"verificationResult": True, "sessionDuration": 12_500, "lightingValue": 0.72}
    body = {
        "sessionId": session,
        "isSuccessful": True,
        "metadata": {
            "timestamp": 1_736_935_212_500, "completedAt": completed_at, **metrics,
            "challengeCount": len(ACTS), "completedChallenges": ACTS, "challenges": ACTS, "finalCapture": metrics,
        },
        "imageMetadata": {**metrics, "device": "Pixel 8", "os": "Android 15"},
    }
    if image is not None:
        body["imageBase64"] = DATA_URI + base64.b64encode(image).decode()
    return body | changes


def encode(body: dict) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def wait_until_ready(port: int, server: subprocess.Popen | None = None) -> None:
    """Until it answers that it is ready; not for ever, and not once the server has ended."""
    for _ in range(600):
        if server and server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=10):
                return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"our server is not ready on {port}: see its log in {PLACE}")


class Caller:
    """Sends messages to a server, over a connection for each."""

    def __init__(self, port: int):
        self.port = port

    def send(self, message: str, body: dict | bytes, bearer: str | None) -> tuple[int, bytes]:
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        head = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
        try:
            conn.request("POST", BASE + message, body if isinstance(body, bytes) else encode(body), head)
            reply = conn.getresponse()
            return reply.status, reply.read()
        finally:
            conn.close()

    def data(self, message: str, body: dict, bearer: str) -> dict:
        """What is answered; nothing where it is refused."""
        status, answer = self.send(message, body, bearer)
        return json.loads(answer)["data"] if status == 200 else {}

    def total(self) -> int | None:
        """How many records there are."""
        page = {"pageNumber": 1, "pageSize": 1}
        return self.data("RetrieveLivenessChecksQuery", page, token(1, "admin")).get("TotalCount")
