"""Turn a parquet file into csv in a child process: few memory, bounded time and size; every cell becomes text.

Parquet is read by a large library in C++; whatever a file does to it, the child alone is hurt. Text and numbers come
out as they are, times in UTC with a Z, nested columns (tags) empty.
"""

import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from importers.limits import PARQUET_LIMITS, ParserLimits
from importers.messages import make
from voucher.problem import Problem

_ROWS = 20_000


@contextmanager
def as_csv(path: Path, kind: str, limits: ParserLimits = PARQUET_LIMITS) -> Iterator[Path | Problem]:
    """Give a csv of a parquet file, or why there is none; any other file is given as it is."""
    if kind != "parquet":
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="cvl-parquet-") as folder:
        target = Path(folder) / "usage.csv"
        yield _convert(path, target, limits) or target


def _convert(path: Path, target: Path, limits: ParserLimits) -> Problem | None:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }
    command = [sys.executable, "-c", "from importers.parquet import main; main()", str(path.absolute()), str(target)]
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=limits.wall_seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return make("parser_stopped", value=f"{limits.wall_seconds}秒")
    if done.returncode in (0, 3):
        return None if done.returncode == 0 else make("document_broken", value="parquet")
    return make("parser_stopped", value="内存、时间或解开后的大小")


def main(limits: ParserLimits = PARQUET_LIMITS) -> None:
    """Convert the file of the first argument into the second; ends with 3 for a broken file, 4 for too large a one."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        for what, size in (
            (resource.RLIMIT_AS, limits.address_space),
            (resource.RLIMIT_FSIZE, limits.inflated_bytes),
            (resource.RLIMIT_CPU, limits.cpu_seconds),
            (resource.RLIMIT_CORE, 0),
        ):
            resource.setrlimit(what, (size, size))
    import pyarrow as pa

    try:
        convert(Path(sys.argv[1]), Path(sys.argv[2]))
    except (pa.ArrowException, OSError, ValueError) as error:
        full = isinstance(error, MemoryError) or getattr(error, "errno", None) in (errno.EFBIG, errno.ENOSPC)
        raise SystemExit(4 if full else 3) from None


def convert(source: Path, target: Path) -> None:
    """Write the rows of a parquet file as csv, some at a time."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    pa.set_cpu_count(1)
    file = parquet.ParquetFile(source)
    names = [str(name) for name in file.schema_arrow.names]
    schema = pa.schema([(name, pa.string()) for name in names])
    with csv.CSVWriter(str(target), schema) as writer:
        for batch in file.iter_batches(batch_size=_ROWS, use_threads=False):
            writer.write_batch(pa.record_batch([_text(column) for column in batch.columns], schema=schema))


def _text(column: Any) -> Any:
    """Write a column of any type as text."""
    import pyarrow as pa
    from pyarrow import compute

    kind = column.type
    if pa.types.is_dictionary(kind):
        return _text(column.dictionary_decode())
    if pa.types.is_timestamp(kind):
        moment = column.cast(pa.timestamp("s", tz="UTC"), safe=False)
        return compute.strftime(moment, format="%Y-%m-%dT%H:%M:%SZ")
    if pa.types.is_nested(kind):
        return pa.nulls(len(column), pa.string())
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:  # bytes that are no text; older writers do not say which are
        return pa.nulls(len(column), pa.string())
