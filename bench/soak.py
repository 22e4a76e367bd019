"""`python -m bench.soak`: spoil the golden samples of each format for minutes and see that no reader crashes.

Registries, workbooks, parquet files and the search for an unknown header are readers as well.

What crashes one is kept beside the golden samples as `found_*`, from where the tests take it up.
"""

import argparse
import hashlib
import io
import json
import logging
import os
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from importlib import import_module
from pathlib import Path

import hypothesis
import pyarrow
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from importers import formats, guard, mapping, parquet, registry, sheets
from importers.catalogue import CATALOGUE
from importers.chunks import ParsedChunk, copy_lines
from importers.papers import Paper, chunks, from_data, to_data
from importers.parts import Part, UsageChunk
from importers.xml_reading import BadXml
from voucher.acts import canonical
from voucher.problem import Problem, problem_data

GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden"
OURS = Path(formats.__file__).resolve().parents[1]
TODAY = date(2026, 11, 1)
WORDS = (
    "-", "9" * 30, "1e999", "\ud800", "（负数）", "<!DOCTYPE x>", ",", '"', "\n", "\r", "\x1f", "NULL", "NaN", "-0",
    "1e-30", "0001-01-01", "9999-12-31T23:59:59Z", "2026-02-30 24:00:00", "+14:00", "٣", "①",
)  # fmt: skip
"""What readers may stumble over, put in here and there."""
EXAMPLES = 300
"""Examples of one round; the rest of the last one is passed over."""


def samples(name: str) -> list[Path]:
    """List the golden samples of a format, or those of all that another reader takes."""
    if name in OTHERS:
        return sorted(GOLDEN.parents[1].glob(OTHERS[name][0]))
    return sorted(path for path in (GOLDEN / name).iterdir() if path.suffix not in (".json", ".py"))


def read_registry(path: Path, kind: guard.FileKind) -> None:
    """Read a file as a registry would, and see that it can be written into the books."""
    if kind in ("csv", "xlsx"):
        _, found, problems = registry.parse(path, kind, CATEGORIES)
        canonical([found, [problem_data(problem) for problem in problems]])


def read_workbook(path: Path, kind: guard.FileKind) -> None:
    """Read every sheet; a child that ends over one is held apart by design, but worth knowing of."""
    for part in sheets.batches(path, "xlsx") if kind == "xlsx" else ():
        if isinstance(part, Problem):
            assert "异常退出" not in part.message, part.message
        else:
            "".join(map(str, part.plain_rows())).encode()


def read_parquet(path: Path, kind: guard.FileKind) -> None:
    """Turn a parquet file into csv in this process; a signal of the library's is a crash."""
    if kind == "parquet":
        with suppress(pyarrow.ArrowException, OSError, ValueError), tempfile.TemporaryDirectory() as folder:
            parquet.convert(path, Path(folder) / "usage.csv")


def read_sheet(path: Path, kind: guard.FileKind) -> None:
    """Look for the header of a provider's own sheet."""
    if kind in ("csv", "xlsx"):
        mapping.unknown(path, kind)


CATEGORIES = {"智能体": "ai_agent", "数字孪生体": "digital_twin"}
OTHERS: dict[str, tuple[str, Callable[[Path, guard.FileKind], None]]] = {
    "registry": ("examples/registry/*.csv", read_registry),
    "workbook": ("tests/golden/*/*.xlsx", read_workbook),
    "parquet": ("tests/golden/*/*.parquet", read_parquet),
    "mapping": ("tests/golden/*/*.csv", read_sheet),
}
"""Readers beside the formats: name to where their samples are, and the reader."""


def read(name: str, path: Path) -> None:
    """Read a file as the import would, documents in this process, so that a crash is seen."""
    kind = guard.kind_by_content(path)
    if guard.check_file(path):
        return
    if name in OTHERS:
        OTHERS[name][1](path, kind)
        return
    chosen = formats.by_name()[name]
    if kind in formats.TABLES:
        formats.identify(path, kind)
    if kind not in chosen.KINDS:
        return
    if not hasattr(chosen, "parse"):
        for part in chosen.read(path, kind, today=TODAY):
            told(part)
        return
    for paper in parsed(name, path):
        again = from_data(json.loads(json.dumps(to_data(paper))))
        assert len(chunks([again], TODAY)[0]) == len(paper.lines)


def told(part: Part) -> None:
    """See that what was read can be written into the books, and that every line is counted once."""
    if isinstance(part, ParsedChunk):
        assert copy_lines(part, 1).count(b"\n") == len(part)
    if isinstance(part, UsageChunk):
        added = sum(lines for lines, _, _ in part.sums.values())
        assert added + len(part.failed) == part.rows, (added, len(part.failed), part.rows)
        "".join(raw + number for _, number, raw in part.failed).encode()


def parsed(name: str, path: Path) -> Sequence[Paper]:
    """Parse a document. What a library cannot read is an answer; an accident in our own code is a crash."""
    try:
        papers: Sequence[Paper] = import_module(f"importers.formats.{name}").parse(path.read_bytes())
        return papers
    except BadXml as bad:
        if bad.code not in CATALOGUE:
            raise
    except Exception as error:
        if Path(traceback.extract_tb(error.__traceback__)[-1].filename).is_relative_to(OURS):
            raise
    return ()


def spoilt(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """Draw a sample with a few stretches spoilt; of a packed one mostly within a member, which is packed anew."""
    data = draw(st.sampled_from(seeds))
    if not data.startswith(b"PK") or draw(st.integers(0, 3)) == 0:
        return cut_up(draw, data, seeds)
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        members = {entry.filename: packed.read(entry) for entry in packed.infolist()}
    name = draw(st.sampled_from(sorted(members)))
    members[name] = cut_up(draw, members[name], list(members.values()))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for each, content in members.items():
            packed.writestr(each, content)
    return target.getvalue()


def cut_up(draw: st.DrawFn, whole: bytes, seeds: Sequence[bytes]) -> bytes:
    """Draw bytes with a few stretches cut, doubled, replaced, or taken from another sample."""
    data, other = bytearray(whole), draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 40)))
        start = draw(st.integers(0, len(other)))
        data[at:end] = draw(
            st.one_of(
                st.binary(max_size=24), st.just(bytes(data[at:end]) * 2), st.just(other[start : start + 40]),
                st.sampled_from(WORDS).map(lambda word: word.encode("utf-8", "surrogatepass")),
            )
        )  # fmt: skip
    return bytes(data)


def soak(name: str, seconds: float, seed: int) -> tuple[int, Path | None]:
    """Read spoilt samples of a format for so long. Returns how many, and the first that crashed a reader."""
    seeds = [path.read_bytes() for path in samples(name)]
    suffixes = sorted({path.suffix for path in samples(name)})
    seen, last, crashed = 0, b"", False
    deadline = time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="cvl-soak-") as folder:
        path = Path(folder) / "sample"

        def once(data: bytes) -> None:
            nonlocal seen, last, crashed
            if time.monotonic() > deadline and not crashed:
                return
            seen, last = seen + 1, data
            path.write_bytes(data)
            try:
                read(name, path)
            except Exception:
                crashed = True
                raise

        while time.monotonic() < deadline:
            seed += 1
            drawn = st.composite(spoilt)(seeds)
            fuzz = settings(
                max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck),
                phases=(Phase.generate, Phase.shrink),
            )(hypothesis.seed(seed)(given(drawn)(once)))  # fmt: skip
            try:
                fuzz()
            except Exception as error:
                (GOLDEN / name).mkdir(exist_ok=True)
                kept = GOLDEN / name / f"found_{hashlib.sha256(last).hexdigest()[:8]}{suffixes[0]}"
                kept.write_bytes(last)
                print(f"{name}: {type(error).__name__}: {error} (seed {seed}, kept as {kept.name})")
                return seen, kept
    return seen, None


def main() -> int:
    """Soak each format; returns 1 when a reader crashed."""
    names = [*formats.by_name(), *OTHERS]
    parser = argparse.ArgumentParser(description="Spoil golden samples of each format for minutes.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3)))
    given_ = parser.parse_args()
    print(f"seed {given_.seed}")
    logging.disable(logging.CRITICAL)  # what a library thinks of spoilt bytes
    crashed = False
    for name in given_.only:
        seen, kept = soak(name, given_.minutes * 60, given_.seed)
        end = "a crash" if kept else "no crash"
        print(f"{name}: {seen:,} spoilt samples in {given_.minutes:g} min, {end}", flush=True)
        crashed = crashed or kept is not None
    return 1 if crashed else 0


if __name__ == "__main__":
    raise SystemExit(main())
