"""What runs on this machine, and what it is: from /proc."""

import os
import platform
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
# Busy cores, just before a run, from which on its figure is marked.
NOISE = 0.15


def described() -> str:
    cpu = next((line.split(":", 1)[1].strip() for line in lines("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{os.cpu_count()} cores, {cpu}, {memory:.0f} GiB, {platform.system()} {platform.release()}"


def lines(path) -> list[str]:
    """No lines where the process has gone."""
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def busy_seconds() -> float:
    """Of all cores together, since the machine was started; waiting for a disk is not work."""
    user, nice, system, _idle, _wait, irq, softirq, *_ = map(int, lines("/proc/stat")[0].split()[1:])
    return (user + nice + system + irq + softirq) / TICKS


def noise(seconds: float = 0.5) -> float:
    """Cores that are busy while nobody asks us anything: those of others."""
    before, began = busy_seconds(), time.monotonic()
    time.sleep(seconds)
    return (busy_seconds() - before) / (time.monotonic() - began)


def stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; the name before them may hold anything."""
    text = "".join(lines(f"/proc/{pid}/stat"))
    return text.rsplit(")", 1)[1].split() if text else []


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    children = {}
    for folder in Path("/proc").glob("[0-9]*"):
        if fields := stat(int(folder.name)):
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found


def alive(pid: int) -> bool:
    return stat(pid)[:1] not in ([], ["Z"])


def cpu_seconds(pid: int) -> float:
    return sum(int(ticks) for member in family(pid) for ticks in stat(member)[11:13]) / TICKS


def resident_mb(pid: int) -> float:
    """Memory of a process and its descendants; pages that they share count for each."""
    sizes = (line.split()[1] for member in family(pid) for line in lines(f"/proc/{member}/status") if line.startswith("VmRSS:"))
    return sum(map(int, sizes)) / 1024
