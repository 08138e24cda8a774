#!/usr/bin/env python3
"""Records faces on a running host while a server of its object store is killed, and reads all of them back.

    .ci/live .ci/objects.py BINARY    the process to kill is in VICTIM, and the binary verifies the trail in the end
"""

import base64
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

FACES = 400
KILL_AFTER = 130
CALLERS = 4
# The whole script must end by itself.
PATIENCE = 30
# So many that are lost are enough to see. Each of them is waited for.
ENOUGH = 5
# The beginning of a JPEG of one pixel: what follows is never looked at.
HEADER = bytes.fromhex("ffd8ffc0000b080001000101011100")


def send(message, token, body, key=None):
    """The status of an answer, and its data."""
    headers = {"Authorization": f"Bearer {os.environ[token]}", "Content-Type": "application/json"}
    if key:
        headers["Idempotency-Key"] = key
    url = f"{os.environ['LIVENESS_URL']}/api/BPMSelfService/commands/{message}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        return error.code, error.read()


class Run:
    """What the callers share."""

    def __init__(self):
        self.lock = threading.Lock()
        self.next = 0
        self.acknowledged = {}  # id: face
        self.refused = 0
        self.faults = []
        self.end = time.monotonic() + PATIENCE

    def take(self):
        with self.lock:
            self.next += 1
            if self.next == KILL_AFTER:
                os.kill(int(os.environ["VICTIM"]), signal.SIGKILL)
                print(f"a volume server is killed after {len(self.acknowledged)} faces were acknowledged")
            return self.next if self.next <= FACES else None

    def record(self):
        while number := self.take():
            face = HEADER + random.Random(number).randbytes(20_000 + number * 97)
            body = {"sessionId": f"objects-{number}", "isSuccessful": True, "imageBase64": base64.b64encode(face).decode()}
            while True:
                status, data = send("SubmitLivenessCheckCommand", "CUSTOMER", body, key=f"objects-{number}")
                with self.lock:
                    if status == 200:
                        self.acknowledged[data["id"]] = face
                        break
                    if status != 503 or time.monotonic() > self.end:
                        self.faults.append(f"face {number}: {status} {data}")
                        break
                    self.refused += 1
                # As a client does, which repeats it under the same key.
                time.sleep(0.2)


def main():
    run, begun = Run(), time.monotonic()
    callers = [threading.Thread(target=run.record) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    took = time.monotonic() - begun
    lost = []
    for number, face in run.acknowledged.items():
        if len(lost) == ENOUGH:
            print("no more faces are looked for")
            break
        status, data = send("GetLivenessCheckQuery", "ADMIN", {"id": number, "purpose": "a test of the object store"})
        if status != 200:
            lost.append(f"record {number}: {status} {data}")
            continue
        found = base64.b64decode(data["LivenessCheck"]["ImageBase64"].partition(",")[2])
        if found != face:
            lost.append(f"record {number}: {len(found)} bytes are not the {len(face)} that were acknowledged")
    print(f"{len(run.acknowledged)} faces acknowledged in {took:.1f} s, {run.refused} times 503, {len(lost)} lost")
    for fault in run.faults + lost:
        print(fault)
    verified = subprocess.run([sys.argv[1], "trail", "verify"], check=False)
    if run.faults or lost or verified.returncode or len(run.acknowledged) != FACES or not doctor():
        sys.exit(1)


def doctor():
    """Whether `doctor` can put, get and delete, and whether nobody else can get."""
    database = os.environ["LIVENESS_DATABASE_URL"].removeprefix("sqlite://").removesuffix(".db")
    keys = {"LIVENESS_FACE_KEYS": f"file:{database}.face-keys"}
    told = subprocess.run([sys.argv[1], "doctor"], env=os.environ | keys, check=False, capture_output=True, text=True).stdout
    of_faces = [line for line in told.splitlines() if "faces" in line]
    print(*of_faces, sep="\n")
    return any("objects can be put, got and deleted" in line for line in of_faces)


main()
