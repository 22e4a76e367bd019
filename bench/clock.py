"""Time and processor time of a piece of work, here, in the parsers and in the server together.

On a machine that others use too, seconds wobble with their load; processor seconds hardly do.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Cost:
    """What a piece of work took. cpu: here, in the parsers and in the server, None where /proc does not tell."""

    seconds: float = 0.0
    cpu: float | None = None


@contextmanager
def measured(home: Path) -> Iterator[Cost]:
    """Measure what is done meanwhile, with the server of a home."""
    cost, before, began = Cost(), cpu(home), time.perf_counter()
    yield cost
    cost.seconds = time.perf_counter() - began
    after = cpu(home)
    if before is not None and after is not None:
        cost.cpu = after - before


def cpu(home: Path) -> float | None:
    """Sum the processor seconds of this process, of those that it started (the parsers), and of the server."""
    server, ended = server_cpu(home), os.times()
    if server is None:
        return None
    started = sum(sum(_ticks(child)[:2]) for child in _children(str(os.getpid())))
    return server + time.process_time() + ended.children_user + ended.children_system + started / _TICKS


def server_cpu(home: Path) -> float | None:
    """Sum the processor seconds of the server's processes, and of those that have ended."""
    pid = home / "postgres" / "data" / "postmaster.pid"
    if not Path("/proc/self/stat").exists() or not pid.exists():
        return None
    postmaster = pid.read_text("ascii").split()[0]
    ticks = sum(_ticks(postmaster)) + sum(sum(_ticks(child)[:2]) for child in _children(postmaster))
    return ticks / _TICKS


def process_cpu(pid: int) -> float:
    """Return the processor seconds of a process, 0 where /proc does not tell."""
    return sum(_ticks(str(pid))[:2]) / _TICKS


def _ticks(pid: str) -> list[int]:
    """Return a process's user and system time, and those of its children that have ended."""
    try:
        figures = Path("/proc", pid, "stat").read_text("utf-8", "replace").rsplit(") ", 1)[1].split()
        return list(map(int, figures[11:15]))
    except OSError:
        return []


def _children(pid: str) -> list[str]:
    """List the processes that a process has started."""
    listed = list(Path("/proc", pid, "task").glob("*/children"))
    if listed:
        return [child for each in listed for child in each.read_text("ascii").split()]
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := entry / "stat").exists():
            fields = stat.read_text("utf-8", "replace").rsplit(") ", 1)[1].split()
            found += [entry.name] if fields[1] == pid else []
    return found
