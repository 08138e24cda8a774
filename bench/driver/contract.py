"""The answers that make servers comparable: one that answers otherwise does other work."""

import base64

from calls import DATA_URI, Caller, submission, token
from seed import USERS, image


def broken(caller: Caller) -> list[str]:
    """What a server that has the set `base` gets wrong; it has one record more afterwards."""
    customer, admin = token(1, "customer"), token(1, "admin")
    face, wrong = image(), []

    def holds(fact: str, is_so: bool) -> None:
        if not is_so:
            wrong.append(fact)

    def status(message: str, body: dict | bytes, bearer: str | None) -> int:
        return caller.send(message, body, bearer)[0]

    def refuses(why: str, body: dict | bytes) -> None:
        holds(f"a submission with {why} is 4xx", 400 <= status("SubmitLivenessCheckCommand", body, customer) < 500)

    unsigned = ".".join(["eyJhbGciOiJub25lIn0", customer.split(".")[1], ""])
    for what, bearer in {
        "no token": None,
        "a bad signature": customer[:-4] + "AAAA",
        "no signature": unsigned,
        "an expired token": token(1, "customer", -3600),
    }.items():
        holds(f"{what} is 401", status("CheckLivenessStatusQuery", {}, bearer) == 401)
    holds("a customer's look at a list is 403", status("RetrieveLivenessChecksQuery", {}, customer) == 403)
    holds("an administrator's submission is 403", status("SubmitLivenessCheckCommand", submission("s"), admin) == 403)

    passed = caller.data("CheckLivenessStatusQuery", {}, customer)
    holds("a user with a record has passed", passed.get("HasCompletedLivenessCheck") is True and passed.get("SessionId") == "seed-00000001")

    failed = submission("s", isSuccessful=False)
    holds("an unsuccessful submission is 422", status("SubmitLivenessCheckCommand", failed, customer) == 422)
    refuses("broken JSON", b'{"sessionId": "s"')
    refuses("no session", {"isSuccessful": True})
    refuses("light beyond 1", submission("s", metadata={"lightingValue": 7}))
    refuses("a time that is none", submission("s", metadata={"completedAt": "yesterday"}))
    refuses("bad Base64", submission("s", imageBase64=DATA_URI + "/9j/!!!!"))
    refuses("an image that is none", submission("s", imageBase64=DATA_URI + base64.b64encode(b"no picture").decode()))
    refuses("Base64 that is cut", submission("s", imageBase64=(DATA_URI + base64.b64encode(face).decode())[:-3]))

    holds("there are as many records as were seeded", caller.total() == USERS)
    receipt = caller.data("SubmitLivenessCheckCommand", submission("contract", face), customer)
    holds("a submission is answered with its session", receipt.get("sessionId") == "contract" and receipt.get("isSuccessful") is True)
    holds("a submission adds one record", caller.total() == USERS + 1)
    seen = caller.data("GetUserLivenessCheckQuery", {"userId": 1}, admin).get("LivenessCheck") or {}
    holds("the image comes back as it was", base64.b64decode((seen.get("ImageBase64") or "").removeprefix(DATA_URI)) == face)
    holds("an unknown user is 404", status("GetUserLivenessCheckQuery", {"userId": 999_999}, admin) == 404)

    page = caller.data("RetrieveLivenessChecksQuery", {"pageNumber": 1, "pageSize": 20}, admin)
    items = page.get("Items") or [{}]
    holds("a page has 20 records, newest first", len(items) == 20 and items[0].get("SessionId") == "contract")
    holds("a page says whose records they are", items[0].get("DisplayName") == "User 1" and items[0].get("PreRegistrationId") == 500_001)
    holds("a page has no image", not any("ImageBase64" in item for item in items))
    one = caller.data("RetrieveLivenessChecksQuery", {"selfServiceUserId": 2}, admin)
    holds("a filter leaves out others", [item.get("SelfServiceUserId") for item in one.get("Items", [])] == [2])
    return wrong
