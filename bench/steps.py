"""Where a work's time goes: seconds and processor seconds per statement; for tuning, not for the results."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from bench.clock import Cost, cpu


@contextmanager
def timed(home: Path, title: str) -> Iterator[None]:
    """Print the statements that run meanwhile with their times, COPY included."""
    spent: dict[str, Cost] = defaultdict(lambda: Cost(0.0, 0.0))
    original, executed = psycopg.Cursor.copy, psycopg.Cursor.execute

    def now() -> tuple[float, float]:
        return time.perf_counter(), cpu(home) or 0.0

    def add(name: str, start: tuple[float, float]) -> None:
        seconds, processor = now()
        cost = spent[name]
        cost.seconds += seconds - start[0]
        cost.cpu = (cost.cpu or 0.0) + processor - start[1]

    def execute(self: Any, statement: Any, *args: Any, **kwargs: Any) -> Any:
        start = now()
        try:
            return executed(self, statement, *args, **kwargs)
        finally:
            add(str(statement)[:110].replace("\n", " "), start)

    @contextmanager
    def copy(self: Any, statement: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        start = now()
        with original(self, statement, *args, **kwargs) as copying:
            yield copying
        add(str(statement)[-110:], start)

    psycopg.Cursor.copy, psycopg.Cursor.execute = copy, execute  # type: ignore[method-assign]
    start = now()
    try:
        yield
    finally:
        psycopg.Cursor.copy, psycopg.Cursor.execute = original, executed  # type: ignore[method-assign]
    add("all", start)
    whole = spent.pop("all")
    print(f"--- {title}: {whole.seconds:.2f} s, cpu {whole.cpu:.2f} s")
    for statement, cost in sorted(spent.items(), key=lambda pair: -pair[1].seconds):
        if cost.seconds > whole.seconds / 200:
            print(f"{cost.seconds:8.3f} s, cpu {cost.cpu:6.2f} s  {statement}")
