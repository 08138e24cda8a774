"""The table: one row for each fault, with what was counted."""

import threading
from collections import Counter
from dataclasses import dataclass, field

HEAD = (
    "| fault | engine | rounds | acknowledged | read back whole | lost | doubled | answers | recovered after, at most | answered after, at most |\n"
    "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: |"
)


@dataclass
class Row:
    fault: str
    engine: str
    # Answers that are right; the others are wrong.
    allowed: frozenset = frozenset({200, 503})
    rounds: int = 0
    acknowledged: int = 0
    whole: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    answers: Counter = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    longest_recovery: float = 0
    longest_answer: float = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answered(self, status: int | str, seconds: float) -> None:
        with self.lock:
            self.answers[status] += 1
            self.longest_answer = max(self.longest_answer, seconds)

    def recovered(self, seconds: float) -> None:
        self.longest_recovery = max(self.longest_recovery, seconds)

    def problem(self, text: str) -> None:
        with self.lock:
            self.problems.append(text)

    def wrong(self) -> list[str]:
        """What must not be, in sentences."""
        odd = {status: count for status, count in self.answers.items() if status not in self.allowed}
        found = [f"lost: {what}" for what in self.lost] + [f"doubled: {what}" for what in self.doubled] + self.problems
        return found + [f"unexpected answers: {odd}"] * bool(odd)

    def __str__(self) -> str:
        cells = (
            self.fault, self.engine, self.rounds, f"{self.acknowledged:,}", f"{self.whole:,}", len(self.lost), len(self.doubled),
            ", ".join(f"{status}: {count:,}" for status, count in sorted(self.answers.items(), key=str)), seconds(self.longest_recovery), seconds(self.longest_answer),
        )
        return "| " + " | ".join(map(str, cells)) + " |"


def seconds(number: float) -> str:
    return f"{number:.2f} s" if number else ""
