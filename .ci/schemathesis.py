"""What the document says in words only, since JSON Schema cannot: no string holds a control character, in fields that the
document does not know either, an image has a header that tells its size, and a list does not end before it begins.

Schemathesis reads it by `hooks` in schemathesis.toml. Fields that the document knows say so in their patterns.
"""

import re

import schemathesis

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
KNOWN = {
    "sessionId", "isSuccessful", "imageBase64", "imagePath", "metadata", "imageMetadata", "timestamp", "completedAt",
    "verificationResult", "sessionDuration", "lightingValue", "challengeCount", "completedChallenges", "challenges",
    "finalCapture", "userId", "id", "preRegistrationId", "selfServiceUserId", "pageNumber", "pageSize", "from", "to",
    "hasImage", "purpose", "reason", "verdict", "decision", "decisionsSeen",
    "order",
}
# The pattern of an image, but for white space and the URL-safe alphabet. It ends with the signature.
IMAGE = re.compile("(data:[^,\x00-\x1f\x7f-\x9f]*;base64,)?(/9j/|iVBORw0KGg[o-r]|UklGR[g-v])[A-Za-z0-9+/]*={0,2}")
ONE_PIXEL = "/9j/wAALCAABAAEBAREA"


def with_header(image):
    letters = re.sub("[\t\n\r ]", "", image).replace("-", "+").replace("_", "/")
    head, comma, rest = letters.rpartition(",")
    return ONE_PIXEL if IMAGE.fullmatch(head.lower() + comma + rest) else image


def as_said(value, is_known=False):
    match value:
        case {"from": str(), "to": str()}:
            return as_said({key: field for key, field in value.items() if key != "from"}, is_known)
        case {"imageBase64": str() as image} if image != with_header(image):
            return as_said(value | {"imageBase64": ONE_PIXEL}, is_known)
        case dict():
            return {
                key if key in KNOWN else FORBIDDEN.sub("", key): as_said(field, key in KNOWN)
                for key, field in value.items()
            }
        case list() if not is_known:
            return [as_said(element) for element in value]
        case str() if not is_known:
            return FORBIDDEN.sub("", value)
    return value


@schemathesis.hook
def map_body(context, body):
    return as_said(body)
