"""The data sets, the same for every server.

base   10,200 users; of users 1 to 10,000 one record without an image each, of users 10,001 to 10,200 one with 60 KB
large  base, and 89,800 more records without an image: 100,000 in all
"""

import json

from calls import ACTS
from picture import jpeg

USERS, PLAIN, LARGE = 10_200, 10_000, 100_000
COLUMNS = (
    "user_id session_id is_successful verification_result session_duration lighting_value challenge_count "
    "completed_challenges challenges final_verification_result final_session_duration final_lighting_value "
    "image_media_type image_path completed_at created_at device_info client_ip image_bytes"
).split()


PICTURE = jpeg(60 * 1024, bytes(9))


def image(number: int = 0) -> bytes:
    """A picture of 60 KB, with a number as its comment: no two phones send the same bytes. In Base64 that of 0 is twelve letters A."""
    return PICTURE[:6] + number.to_bytes(9, "big") + PICTURE[15:]


def users():
    """Number, name, address, pre-registration."""
    for number in range(1, USERS + 1):
        yield number, f"User {number}", f"user{number}@example.com", 500_000 + number


def records(dataset: str, truth, blob: bytes):
    """Rows of COLUMNS, with an engine's own truth: 1 or True."""
    acts = json.dumps(ACTS)
    device = json.dumps({"device": "Pixel 8", "os": "Android 15"})
    for number in range(1, (LARGE if dataset == "large" else USERS) + 1):
        user = number if number <= USERS else number % PLAIN + 1
        face = blob if PLAIN < number <= USERS else None
        at = f"2025-01-{number % 28 + 1:02d}T10:00:00.000Z"
        yield (user, f"seed-{number:08d}", truth, truth, 12_500, 0.72, len(ACTS), acts, acts, truth, 12_500, 0.72,
               "image/jpeg" if face else None, None, at, at, device, "127.0.0.1", face)
