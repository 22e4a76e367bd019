"""Where a work's time goes: seconds per statement, longest first; for tuning, not for the results."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Engine, event


@contextmanager
def timed(engine: Engine, title: str) -> Iterator[None]:
    """Print the statements that run on an engine meanwhile with their times, COPY included."""
    spent: dict[str, list[float]] = defaultdict(list)
    began: list[float] = []
    original = psycopg.Cursor.copy

    def before(*_: Any) -> None:
        began.append(time.perf_counter())

    def after(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        spent[statement[:110].replace("\n", " ")].append(time.perf_counter() - began.pop())

    @contextmanager
    def copy(self: Any, statement: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        start = time.perf_counter()
        with original(self, statement, *args, **kwargs) as copying:
            yield copying
        spent[str(statement)[-110:]].append(time.perf_counter() - start)

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    psycopg.Cursor.copy = copy  # type: ignore[method-assign]
    start = time.perf_counter()
    try:
        yield
    finally:
        psycopg.Cursor.copy = original  # type: ignore[method-assign]
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)
    whole = time.perf_counter() - start
    known = sum(map(sum, spent.values()))
    print(f"--- {title}: {whole:.2f} s, outside of statements {whole - known:.2f} s")
    for statement, times in sorted(spent.items(), key=lambda pair: -sum(pair[1])):
        if sum(times) > whole / 200:
            print(f"{sum(times):8.3f} s  {len(times):4d}×  {statement}")
