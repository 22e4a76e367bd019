"""The bar that a terminal shows while a file is read and checked."""

import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

Told = Callable[[int], None]
SILENT_SECONDS = 1.0


class _Stage(ProgressColumn):
    """What is being done: when no more rows come, they have all been read and are being checked."""

    def render(self, task: Task) -> Text:
        """Write the stage."""
        return Text("核对入账" if _read(task) else "读取")


class _Rate(ProgressColumn):
    """Rows per second, and the time left while reading."""

    def render(self, task: Task) -> Text:
        """Write the rate."""
        if _read(task):
            return Text(f"已用 {task.elapsed or 0:,.0f} 秒")
        speed, left = task.speed, task.time_remaining
        rate = f"{speed:,.0f} 行/秒" if speed else ""
        return Text(f"{rate}，约剩 {left:,.0f} 秒" if left is not None else rate)


def _read(task: Task) -> bool:
    """Tell whether all rows have been read; blank ones are counted in the total and never told."""
    return task.completed > 0 and time.monotonic() - float(task.fields["told"]) > SILENT_SECONDS


def bar(name: str, total: int | None) -> Iterator[Told]:
    """Show a bar on a terminal."""
    columns = (_Stage(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,} 行"), _Rate())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=total, told=time.monotonic())

        def told(rows: int) -> None:
            progress.update(task, completed=rows, told=time.monotonic())

        yield told
