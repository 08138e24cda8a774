"""The load: wrk sends a scenario from the same machine, over as many connections as it says."""

import json
import os
import subprocess
from pathlib import Path

from calls import encode, submission, token
from place import BENCH
from seed import PLAIN, image

# Connections, and the data set.
SCENARIOS = {
    "status": (32, "base"),
    "get-user": (16, "base"),
    "submit-plain": (32, "base"),
    "submit-image": (16, "base"),
    "retrieve": (16, "large"),
}


class Load:
    def __init__(self, folder: str):
        self.tokens = Path(folder) / "tokens"
        self.tokens.write_text("".join(token(user, "customer") + "\n" for user in range(1, PLAIN + 1)))
        self.bodies = {"submit-plain": Path(folder) / "plain", "submit-image": Path(folder) / "image"}
        for scenario, face in {"submit-plain": None, "submit-image": image()}.items():
            self.bodies[scenario].write_bytes(encode(submission("@", face)))

    def send(self, port: int, scenario: str, seconds: int, run: str) -> dict:
        """`run` is part of the sessions that it makes."""
        env = os.environ | {
            "BENCH_SCENARIO": scenario,
            "BENCH_RUN": run,
            "BENCH_ADMIN": token(1, "admin"),
            "BENCH_TOKENS": str(self.tokens),
        }
        if scenario in self.bodies:
            env["BENCH_BODY"] = str(self.bodies[scenario])
        connections, _ = SCENARIOS[scenario]
        options = ["--threads=1", f"--connections={connections}", f"--duration={seconds}s", "--timeout=10s"]
        command = ["wrk", *options, f"--script={BENCH / 'driver/load.lua'}", f"http://127.0.0.1:{port}"]
        printed = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
        return json.loads(next(line.removeprefix("RESULT ") for line in printed.splitlines() if line.startswith("RESULT ")))
