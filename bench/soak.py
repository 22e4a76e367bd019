"""`python -m bench.soak`: spoil the golden samples of each format for minutes and see that no reader crashes.

What crashes one is kept beside the golden samples as `found_*`, from where the tests take it up.
"""

import argparse
import hashlib
import json
import logging
import os
import tempfile
import time
import traceback
from collections.abc import Sequence
from datetime import date
from importlib import import_module
from pathlib import Path

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from importers import formats, guard
from importers.messages import CATALOGUE
from importers.papers import Paper, chunks, from_data, to_data
from importers.xml_reading import BadXml
from voucher.problem import Problem

GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden"
OURS = Path(formats.__file__).resolve().parents[1]
TODAY = date(2026, 11, 1)
EXAMPLES = 300
"""Examples of one round; the clock is looked at between rounds."""


def samples(name: str) -> list[Path]:
    """List the golden samples of a format."""
    return sorted(path for path in (GOLDEN / name).iterdir() if path.suffix not in (".json", ".py"))


def read(name: str, path: Path) -> None:
    """Read a file as the import would, in this process, so that a crash is seen."""
    kind = guard.kind_by_content(path)
    if guard.check_file(path):
        return
    chosen = formats.identify(path, kind)
    if not isinstance(chosen, Problem) and kind in ("csv", "xlsx"):
        for _ in chosen.read(path, kind, today=TODAY):
            pass
    if kind not in ("csv", "xlsx") and name in ("einvoice_xml", "ofd", "pdf"):
        for paper in parsed(name, path):
            again = from_data(json.loads(json.dumps(to_data(paper))))
            assert len(chunks([again], TODAY)[0]) == len(paper.lines)


def parsed(name: str, path: Path) -> Sequence[Paper]:
    """Parse a document. What a library cannot read is an answer; an accident in our own code is a crash."""
    try:
        papers: Sequence[Paper] = import_module(f"importers.formats.{name}").parse(path)
        return papers
    except BadXml as bad:
        if bad.code not in CATALOGUE:
            raise
    except Exception as error:
        if Path(traceback.extract_tb(error.__traceback__)[-1].filename).is_relative_to(OURS):
            raise
    return ()


def spoilt(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """Draw a sample with a few stretches cut, doubled, replaced, or taken from another sample."""
    data, other = bytearray(draw(st.sampled_from(seeds))), draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 40)))
        start = draw(st.integers(0, len(other)))
        data[at:end] = draw(
            st.one_of(
                st.binary(max_size=24), st.just(bytes(data[at:end]) * 2), st.just(other[start : start + 40]),
                st.sampled_from(["-", "9" * 30, "1e999", "\ud800", "（负数）", "<!DOCTYPE x>"]).map(
                    lambda word: word.encode("utf-8", "surrogatepass")
                ),
            )
        )  # fmt: skip
    return bytes(data)


def soak(name: str, seconds: float, seed: int) -> tuple[int, Path | None]:
    """Read spoilt samples of a format for so long. Returns how many, and the first that crashed a reader."""
    seeds = [path.read_bytes() for path in samples(name)]
    suffixes = sorted({path.suffix for path in samples(name)})
    seen, last = 0, b""
    deadline = time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="cvl-soak-") as folder:
        path = Path(folder) / "sample"

        def once(data: bytes) -> None:
            nonlocal seen, last
            seen, last = seen + 1, data
            path.write_bytes(data)
            read(name, path)

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
                kept = GOLDEN / name / f"found_{hashlib.sha256(last).hexdigest()[:8]}{suffixes[0]}"
                kept.write_bytes(last)
                print(f"{name}: {type(error).__name__}: {error} (seed {seed}, kept as {kept.name})")
                return seen, kept
    return seen, None


def main() -> int:
    """Soak each format; returns 1 when a reader crashed."""
    names = [each.__name__.rpartition(".")[2] for each in formats.all_formats()]
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
