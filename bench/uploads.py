"""Small uploads in a running process, with the portal's settings: the time of one, alone and with others at once."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from sqlalchemy import Engine

from bench import data, works
from portal.serve import SWITCH_SECONDS

ROWS, AT_ONCE, WARM = 20, 8, 8
"""Rows of a file, how many at once, and how many each session has taken before: its plans are made by then."""


def write(folder: Path, count: int, companies: int) -> list[Path]:
    """Write small template files, each with invoices of its own."""
    files = []
    for n in range(count):
        files.append(folder / f"upload-{n}.csv")
        data.write_template(files[-1], ROWS, companies, seed=n, first=10**10 + n * ROWS)
    return files


def alone(engine: Engine, files: list[Path]) -> list[float]:
    """Import files one after another; return the seconds of each."""
    spent = []
    for file in files:
        began = time.perf_counter()
        works.run_import(engine, file, ROWS)
        spent.append(time.perf_counter() - began)
    return spent


def together(engine: Engine, files: list[Path]) -> list[float]:
    """Import files on eight threads that begin at once and never rest; return the seconds of each."""
    barrier = Barrier(AT_ONCE)

    def work(own: list[Path]) -> list[float]:
        barrier.wait()
        return alone(engine, own)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(work, [files[n::AT_ONCE] for n in range(AT_ONCE)])
        return [seconds for each in found for seconds in each]


def run(engine: Engine, folder: Path, companies: int, each: int = 25) -> tuple[list[float], list[float]]:
    """Warm up, then measure alone and together; return both lists of seconds."""
    warm = AT_ONCE * WARM
    files = write(folder, warm + each + AT_ONCE * each, companies)
    sys.setswitchinterval(SWITCH_SECONDS)
    together(engine, files[:warm])
    single = alone(engine, files[warm : warm + each])
    return single, together(engine, files[warm + each :])
