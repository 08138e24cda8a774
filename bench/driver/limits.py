"""What each engine can do on this machine with nothing above it: rows of the peers' tables, durably inserted.

One row a transaction is what a server does that commits each submission by itself; as many rows a transaction as callers
wait is the most that one can do which commits them together.
"""

import subprocess
import tempfile
from pathlib import Path

import cluster
from place import BENCH, PLACE
from seed import image

# Name: rows of a transaction, or clients; with an image or without.
SQLITE = {
    "SQLite, 1 row a transaction": (1, False),
    "SQLite, 32 rows a transaction": (32, False),
    "SQLite, 1 row with 60 KB a transaction": (1, True),
    "SQLite, 16 rows with 60 KB a transaction": (16, True),
}
POSTGRES = {
    "PostgreSQL, 1 row a transaction, 1 client": (1, False),
    "PostgreSQL, 1 row a transaction, 32 clients": (32, False),
    "PostgreSQL, 1 row with 60 KB a transaction, 1 client": (1, True),
    "PostgreSQL, 1 row with 60 KB a transaction, 16 clients": (16, True),
}
# The image is copied inside the server, and never crosses the wire.
SCRIPT = """\\set user random(1, 10000)
INSERT INTO liveness_checks (user_id, session_id, is_successful, verification_result, session_duration, lighting_value,
    challenge_count, completed_challenges, challenges, final_verification_result, final_session_duration,
    final_lighting_value, image_media_type, completed_at, created_at, device_info, client_ip, image_bytes)
VALUES (:user, 'session-' || :user, true, true, 12500, 0.72, 3, '["BLINK","SMILE","TURN_LEFT"]',
    '["BLINK","SMILE","TURN_LEFT"]', true, 12500, 0.72, 'image/jpeg', '2025-01-15T10:00:12.500Z',
    '2025-01-15T10:00:13.000Z', '{{"device":"Pixel 8","os":"Android 15"}}', '127.0.0.1', {image});
"""


def measure(name: str, seconds: int) -> dict:
    """Rows per second, and the milliseconds of a transaction."""
    if name in SQLITE:
        return sqlite(*SQLITE[name], seconds)
    return postgres(*POSTGRES[name], seconds)


def sqlite(rows: int, with_image: bool, seconds: int) -> dict:
    with tempfile.TemporaryDirectory(dir=PLACE) as folder:
        command = [PLACE / "cargo/release/limit-storage", Path(folder) / "limit.db", seconds, rows, len(image()) if with_image else 0]
        printed = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True).stdout
    per_second, p50, p99 = map(float, printed.split())
    return {"per_second": per_second, "p50_ms": p50, "p99_ms": p99}


def postgres(clients: int, with_image: bool, seconds: int) -> dict:
    cluster.start()
    cluster.copy("template0", "bare")
    cluster.sql("bare", (BENCH / "schema.postgres.sql").read_text())
    cluster.sql(
        "bare",
        "INSERT INTO users SELECT i, 'User', 'user@example.com', i FROM generate_series(1, 10000) i",
        "CREATE TABLE sample (image BYTEA)",
        "ALTER TABLE sample ALTER COLUMN image SET STORAGE EXTERNAL",
        "INSERT INTO sample SELECT string_agg(uuid_send(gen_random_uuid()), '') FROM generate_series(1, 60 * 1024 / 16)",
        "VACUUM ANALYZE",
        "CHECKPOINT",
    )
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "insert.sql"
        script.write_text(SCRIPT.format(image="(SELECT image FROM sample)" if with_image else "NULL"))
        options = ["--no-vacuum", "--protocol=prepared", "--jobs=1", f"--client={clients}", f"--time={seconds}", "--log", f"--file={script}"]
        command = [cluster.programs() / "pgbench", *options, cluster.url("bare")]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder).stdout
        took = sorted(int(line.split()[2]) / 1e3 for log in Path(folder).glob("pgbench_log.*") for line in open(log))
    per_second = float(next(line.split()[2] for line in printed.splitlines() if line.startswith("tps = ")))
    return {"per_second": per_second, "p50_ms": took[len(took) // 2], "p99_ms": took[len(took) * 99 // 100]}
