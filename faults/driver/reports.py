"""What phones report: bodies made anew from their name whenever they are needed, and what a record of one must show."""

import base64
import json
import random
import struct
from dataclasses import dataclass

from calls import ACTS, encode, submission

USER_AGENT = "faults/1.0"
SIZES = [None, 100, 3_000, 20_000, 60_000]
HEADERS = {
    "image/jpeg": b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\xc8\x01\x2c\x01\x01\x11\x00",
    "image/png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR" + struct.pack(">II", 300, 200),
    "image/webp": b"RIFF\x00\x00\x01\x00WEBPVP8X\x0a\x00\x00\x00" + bytes(4) + b"\x2b\x01\x00\xc7\x00\x00",
}


@dataclass
class Report:
    """One report, however often it is sent. Its name is its idempotency key and, as a path, a field of its record."""

    user: int
    name: str
    # The size of faces is chosen by the name, unless it is given.
    face_bytes: int | None = None
    # What was answered with 200.
    data: dict | None = None
    # Whether that was the answer the first time.
    is_first: bool = False
    # Whether all other answers said that nothing was recorded.
    is_refused: bool = True

    def path(self) -> str:
        return f"/faults/{self.name}.jpg"

    def made(self) -> tuple[str, dict, bytes | None, str | None]:
        """Message, body, face and media type: the same each time."""
        chance = random.Random(self.name)
        is_submit = chance.random() < 0.7
        is_success = is_submit or chance.random() < 0.4
        size = chance.choice(SIZES) if self.face_bytes is None else self.face_bytes
        kind = chance.choice(sorted(HEADERS))
        face = None if size is None else HEADERS[kind] + chance.randbytes(size)
        # An update tells of a session that may have been told of before.
        session = f"session-{self.user}-{self.name if is_submit else chance.randrange(3)}"
        body = submission(session, None, isSuccessful=is_success, imagePath=self.path())
        verdict = chance.choice([True, True, False, None])
        body["metadata"] |= {
            "verificationResult": verdict, "sessionDuration": chance.randrange(60_000),
            "lightingValue": chance.randrange(100) / 128, "spoof": {"name": self.name, "glare": "é" * chance.randrange(20)},
        }
        if chance.random() < 0.5:
            body["metadata"]["completedAt"] = None
        if face is not None:
            body["imageBase64"] = f"data:{kind};base64," + base64.b64encode(face).decode()
        return ("Submit" if is_submit else "Update") + "LivenessCheckCommand", body, face, kind

    def request(self) -> tuple[str, bytes]:
        message, body, _, _ = self.made()
        return message, encode(body)

    def differs(self, shown: dict) -> list[str]:
        """The fields of a record, as GetLivenessCheckQuery shows it, that are not what was reported or answered."""
        _, body, face, kind = self.made()
        told, image = body["metadata"], body["imageMetadata"]
        wanted = {
            "Id": self.data["id"], "CreatedAt": self.data["createdAt"], "SessionId": body["sessionId"], "IsSuccessful": body["isSuccessful"],
            "VerificationResult": told["verificationResult"], "SessionDuration": told["sessionDuration"],
            "LightingValue": told["lightingValue"], "ChallengeCount": len(ACTS), "CompletedChallenges": ACTS, "Challenges": ACTS,
            "CompletedAt": self.data["completedAt"],
            "FinalCaptureVerificationResult": told["finalCapture"]["verificationResult"],
            "FinalCaptureSessionDuration": told["finalCapture"]["sessionDuration"],
            "FinalCaptureLightingValue": told["finalCapture"]["lightingValue"],
            "ImageVerificationResult": image["verificationResult"], "ImageSessionDuration": image["sessionDuration"],
            "ImageLightingValue": image["lightingValue"], "ImagePath": self.path(), "HasImage": face is not None,
            "ClientIp": "127.0.0.1", "Metadata": told, "ImageMetadata": image,
        }
        wrong = [name for name, value in wanted.items() if name not in shown or shown[name] != value]
        if self.data["sessionId"] != body["sessionId"] or self.data["isSuccessful"] != body["isSuccessful"]:
            wrong.append("the answer of the command")
        if json.loads(shown["DeviceInfo"])["userAgent"] != USER_AGENT:
            wrong.append("DeviceInfo")
        uri = shown["ImageBase64"]
        if face is None:
            return wrong + ["ImageBase64"] * (uri is not None)
        head, _, text = (uri or "").partition(",")
        if head != f"data:{kind};base64" or base64.b64decode(text) != face:
            wrong.append("ImageBase64")
        return wrong
