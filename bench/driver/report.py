"""The measurements as Markdown: medians of the rounds, each with the least and the most."""

from statistics import median

import limits
import machine
from load import SCENARIOS

SIZES = {"start_ms": "start to first answer, ms", "idle_mb": "memory idle, MB", "loaded_mb": "memory after submit-image, MB"}


def report(results: dict) -> str:
    servers = results["servers"]
    # Two spaces end a line in Markdown.
    parts = ["\n".join(f"{name}: {value}  " for name, value in results["of"].items())]
    ran = [scenario for scenario in SCENARIOS if any(scenario in server["runs"] for server in servers.values())]
    if ran:
        rows = [row for scenario in ran for row in scenario_rows(scenario, servers)]
        parts.append(table(["scenario (connections)", "server", "answers/s", "p50 ms", "p99 ms", "ours is", "remarks"], rows))
        rows = [[name, *(spread(server[key], 0) for key in SIZES), ", ".join(server["broken"])] for name, server in servers.items()]
        parts.append(table(["server", *SIZES.values(), "broken contract"], rows))
    if results["limits"]:
        rows = [limit_row(name, runs, servers) for name, runs in results["limits"].items()]
        parts.append(table(["limit", "rows/s", "p50 ms", "p99 ms", "ours", "remarks"], rows))
    return "\n\n".join(parts)


def table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *rows])


def spread(values: list[float], digits: int) -> str:
    if not values:
        return "-"
    if len(values) == 1:
        return f"{values[0]:,.{digits}f}"
    return f"{median(values):,.{digits}f} [{min(values):,.{digits}f}-{max(values):,.{digits}f}]"


def scenario_rows(scenario: str, servers: dict):
    for name, server in servers.items():
        if runs := server["runs"].get(scenario):
            ours = servers.get(counterpart(name), {}).get("runs", {}).get(scenario)
            cells = [spread([run[key] for run in runs], digits) for key, digits in (("per_second", 0), ("p50_ms", 2), ("p99_ms", 2))]
            ratio = "" if name.startswith("ours") else compared(ours, runs)
            yield [f"{scenario} ({SCENARIOS[scenario][0]})", name, *cells, ratio, remarks(runs)]


def counterpart(name: str) -> str:
    """That of our servers on the same engine."""
    return "ours-pg" if name.endswith("-pg") else "ours-sqlite"


def compared(ours: list[dict] | None, runs: list[dict]) -> str:
    if not ours or not any(run["per_second"] for run in runs):
        return ""
    return f"{median(run['per_second'] for run in ours) / median(run['per_second'] for run in runs):.2f}×"


def limit_row(name: str, runs: list[dict], servers: dict) -> list[str]:
    scenario = "submit-image" if "60 KB" in name else "submit-plain"
    server = "ours-sqlite" if name in limits.SQLITE else "ours-pg"
    ratio = compared(servers.get(server, {}).get("runs", {}).get(scenario), runs)
    cells = [spread([run[key] for run in runs], digits) for key, digits in (("per_second", 0), ("p50_ms", 2), ("p99_ms", 2))]
    return [name, *cells, f"{server} {scenario} is {ratio}" if ratio else "", remarks(runs)]


def remarks(runs: list[dict]) -> str:
    """What makes figures doubtful."""
    found = []
    for key, word in {"lost": "LOST", "bad_status": "BAD STATUS", "socket_errors": "SOCKET ERRORS"}.items():
        if count := sum(run.get(key, 0) for run in runs):
            found.append(f"{word} {count}")
    if noisy := sum(run["noise"] > machine.NOISE for run in runs):
        found.append(f"NOISY {noisy} of {len(runs)}")
    return ", ".join(found)
