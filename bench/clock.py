"""Time and processor time of a piece of work, here and in the server together.

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
    """What a piece of work took. cpu: of this process and all of the server's, None where /proc does not tell."""

    seconds: float = 0.0
    cpu: float | None = None


@contextmanager
def measured(home: Path) -> Iterator[Cost]:
    """Measure what is done meanwhile, with the server of a home."""
    cost, before, began = Cost(), _cpu(home), time.perf_counter()
    yield cost
    cost.seconds = time.perf_counter() - began
    after = _cpu(home)
    if before is not None and after is not None:
        cost.cpu = after - before


def _cpu(home: Path) -> float | None:
    """Sum the processor seconds of this process, of the server's processes, and of those that have ended."""
    pid = home / "postgres" / "data" / "postmaster.pid"
    if not Path("/proc/self/stat").exists() or not pid.exists():
        return None
    postmaster = int(pid.read_text("ascii").split()[0])
    server = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text("utf-8", "replace").rsplit(") ", 1)[1].split()
            except OSError:
                continue
            if int(entry.name) == postmaster:
                server += sum(map(int, fields[11:15]))
            elif int(fields[1]) == postmaster:
                server += int(fields[11]) + int(fields[12])
    return server / _TICKS + time.process_time()
