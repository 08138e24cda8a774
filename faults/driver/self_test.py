"""Spoils records behind the host's back, one way after the other, and looks whether the reading back finds each."""

import sqlite3

from readback import look
from rows import Row
from stage import Stage

# What is done to the database, and the word that tells of it.
SPOILED = [
    (
        "the last byte of a face",
        "UPDATE liveness_images SET bytes = CAST(substr(bytes, 1, length(bytes) - 1) || x'F5' AS BLOB) "
        "WHERE rowid = (SELECT min(rowid) FROM liveness_images)",
        "ImageBase64",
    ),
    ("a number", "UPDATE liveness_checks SET lighting_value = 0.99 WHERE id = 5", "LightingValue"),
    ("a time", "UPDATE liveness_checks SET created_at = created_at + 5000000 WHERE id = 6", "CreatedAt"),
    (
        "two records of one report",
        "UPDATE liveness_checks SET image_path = (SELECT image_path FROM liveness_checks WHERE id = 7) WHERE id = "
        "(SELECT max(id) FROM liveness_checks WHERE self_service_user_id = (SELECT self_service_user_id FROM liveness_checks WHERE id = 7))",
        "is recorded as",
    ),
    ("a record that is gone", "DELETE FROM liveness_checks WHERE id = 9", "is not in the list"),
]


def notices_all() -> bool:
    missed = []
    with Stage("sqlite") as stage:
        row = Row("nothing", "sqlite")
        load = stage.load(row, "self-test")
        load.wait_for(100)
        load.stop()
        look(stage.host, load, row)
        missed += [f"nothing was spoiled, but: {sentence}" for sentence in row.wrong()]
        with sqlite3.connect(stage.file, timeout=10) as database:
            for what, statement, word in SPOILED:
                database.execute(statement)
                database.commit()
                row = Row(what, "sqlite")
                look(stage.host, load, row)
                if not any(word in sentence for sentence in row.wrong()):
                    missed.append(f"{what}: nothing says {word!r}")
    print(*(missed or ["each spoiled record is found"]), sep="\n")
    return not missed
