"""Submits a report, and shows its spans as a collector has printed them; `.ci/traces` starts the collector and the host."""

import json
import os
import re
import sys
import time
import urllib.request

TRACE, SENDER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SUBMIT = "SubmitLivenessCheckCommand"
PATH = f"/api/BPMSelfService/commands/{SUBMIT}"
# Each span, and the one that it must be below.
EXPECTED = {f"POST {PATH}": None, SUBMIT: f"POST {PATH}", "store write": SUBMIT, "commit": "store write"}
PATIENCE = 20


def submit():
    headers = {
        "Authorization": f"Bearer {os.environ['CUSTOMER']}",
        "Content-Type": "application/json",
        "traceparent": f"00-{TRACE}-{SENDER}-01",
    }
    body = json.dumps({"sessionId": "traced", "isSuccessful": True}).encode()
    with urllib.request.urlopen(urllib.request.Request(os.environ["LIVENESS_URL"] + PATH, body, headers), timeout=30) as answer:
        assert answer.status == 200, answer.status


def received():
    """The spans of the trace that have been printed whole: each begins with `Span #`, and its attributes come last."""
    text = open(os.environ["RECEIVED"], encoding="utf-8").read()
    spans = []
    for part in re.split(r"^Span #\d+\n", text, flags=re.MULTILINE)[1:]:
        fields = dict(re.findall(r"^\s*(Trace ID|Parent ID|ID|Name|Kind|Start time|End time)\s*: (.*)$", part, re.MULTILINE))
        part = part.split("ResourceSpans #")[0].split("ScopeSpans #")[0]
        fields["attributes"] = re.findall(r"-> ([\w.]+): \w+\((.*)\)", part)
        if fields.get("Trace ID") == TRACE:
            spans.append(fields)
    return spans


def show(spans, parent, began, depth=0):
    for span in sorted((span for span in spans if span["Parent ID"] == parent), key=lambda span: int(span["Start time"])):
        start, end = int(span["Start time"]), int(span["End time"])
        began = began or start
        attributes = " ".join(f"{name}={value}" for name, value in span["attributes"])
        kind = span["Kind"].removeprefix("SPAN_KIND_").lower()
        print(f"{'  ' * depth}{span['Name']} ({kind}), after {(start - began) // 1000} us, {(end - start) // 1000} us: {attributes}")
        show(spans, span["ID"], began, depth + 1)


def main():
    submit()
    end, spans = time.monotonic() + PATIENCE, []
    # The span of the request ends last.
    while not any(span["Parent ID"] == SENDER for span in spans):
        if time.monotonic() > end:
            sys.exit(f"the collector has not received the trace: {spans}")
        time.sleep(0.1)
        spans = received()
    # Its attributes are printed after its ids.
    time.sleep(0.2)
    spans = received()
    print(f"trace {TRACE}, below the span {SENDER} of its sender:")
    show(spans, SENDER, None, 1)
    by_id = {span["ID"]: span["Name"] for span in spans}
    # The user was not known, and is added before by a write of its own.
    pairs = {(span["Name"], by_id.get(span["Parent ID"])) for span in spans}
    missing = [pair for pair in EXPECTED.items() if pair not in pairs]
    if missing:
        sys.exit(f"a span is not there, or not where it belongs: {missing}")


main()
