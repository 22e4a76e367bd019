"""No byte string crashes a reader of documents, and no bomb or entity gets far."""

import io
import json
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from importers import documents, formats, guard, worker
from importers.capitals import parse_capitals
from importers.catalogue import CATALOGUE
from importers.chunks import ParsedChunk
from importers.formats import tax_export
from importers.limits import ParserLimits
from importers.papers import chunks, decimal, from_data
from importers.parts import Part
from importers.remarks import read_remark
from tests.samples import export, ofd, pdf
from tests.samples.bill import Bill, Row, capitals
from tests.samples.xml import xml
from voucher.days import Span
from voucher.money import format_yuan
from voucher.problem import Problem

TODAY = date(2026, 11, 1)
BILL = Bill()
SEEDS: dict[str, bytes] = {
    "einvoice_xml": xml(BILL), "ofd": ofd.pack(ofd.tagged(BILL)), "pdf": pdf.information(BILL),
    "tax_export": export.csv_bytes(export.table(export.HEADER, export.rows([BILL, BILL]))),
}  # fmt: skip
QUIET = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@st.composite
def spoilt(draw: st.DrawFn, seed: bytes) -> bytes:
    """A sample with a few stretches cut, doubled or replaced."""
    data = bytearray(seed)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 30)))
        data[at:end] = draw(st.one_of(st.binary(max_size=20), st.just(bytes(data[at:end]) * 2)))
    return bytes(data)


def answered(name: str, document: bytes) -> None:
    """Parse in this process, so that a crash is seen, and lay out what was read."""
    answer = worker.parse_here(f"importers.formats.{name}", document)
    assert answer["code"] in CATALOGUE or not answer["code"]
    for data in json.loads(json.dumps(answer["papers"])):
        paper = from_data(data)
        (rows,) = chunks([paper], TODAY)
        assert len(rows) == len(paper.lines)
        assert all(problem.code in CATALOGUE for problem in rows.problems)


@pytest.mark.parametrize("name", ["einvoice_xml", "ofd", "pdf"])
@QUIET
@given(data=st.data())
def test_no_spoilt_document_crashes_its_reader(name: str, data: st.DataObject) -> None:
    answered(name, data.draw(st.one_of(spoilt(SEEDS[name]), st.binary(max_size=200))))


def money(found: Iterable[Part]) -> tuple[int, int, int]:
    """Sum up what the rows of a file say: net, tax and gross in fen. No row may be wrong."""
    parsed = [part for part in found if isinstance(part, ParsedChunk)]
    assert not any(chunk.failed for chunk in parsed)
    names = ("net_fen", "tax_fen", "gross_fen")
    net, tax, gross = (sum(int(str(fen)) for chunk in parsed for fen in chunk.values[name]) for name in names)
    return net, tax, gross


@settings(QUIET, max_examples=15)
@given(nets=st.lists(st.integers(1, 10**11), min_size=1, max_size=4), red=st.booleans())
def test_every_format_of_an_invoice_reads_as_the_same_money(nets: list[int], red: bool, tmp_path: Path) -> None:
    sign = -1 if red else 1
    pairs = [(sign * net, sign * ((net * 6 + 50) // 100)) for net in nets]
    rows = tuple(
        Row(net=format_yuan(net), tax=format_yuan(tax), item=f"服务{n}", quantity="")
        for n, (net, tax) in enumerate(pairs)
    )
    bill = replace(BILL, rows=rows, red_of="26502000000099900009" if red else "", remark="")
    path = tmp_path / "sample"
    expected = (sum(net for net, _ in pairs), sum(tax for _, tax in pairs), sum(map(sum, pairs)))
    for name, data in (
        ("einvoice_xml", xml(bill)), ("ofd", ofd.pack(ofd.embedded(bill))), ("ofd", ofd.pack(ofd.tagged(bill))),
        ("pdf", pdf.attached(xml(bill))), ("pdf", pdf.information(bill)),
    ):  # fmt: skip
        (parts,) = documents.parts([worker.parse_here(f"importers.formats.{name}", data)], TODAY)
        assert money(parts) == expected, name
    path.write_bytes(export.csv_bytes(export.table(export.HEADER, export.rows([bill]))))
    assert money(tax_export.read(path, "csv", today=TODAY)) == expected


@QUIET
@given(data=spoilt(SEEDS["tax_export"]))
def test_no_spoilt_export_crashes_its_reader(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "sample"
    path.write_bytes(data)
    kind = guard.kind_by_content(path)
    chosen = formats.identify(path, kind)
    if not isinstance(chosen, Problem):
        for _ in chosen.read(path, kind, today=TODAY):
            pass


@QUIET
@given(st.text(max_size=80))
@example("服务期间：9999-99-99至0000-00-00")
@example("账期299913")
def test_no_remark_crashes_its_reader(text: str) -> None:
    read_remark(text)
    parse_capitals(text)


@settings(deadline=None)
@given(st.integers(0, 10**13 - 1), st.booleans())
def test_what_is_written_in_capitals_reads_as_the_figure(fen: int, negative: bool) -> None:
    sign = "-" if negative and fen else ""
    assert parse_capitals(capitals(f"{sign}{fen // 100}.{fen % 100:02d}")) == (-fen if sign else fen)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("服务期间：2026-08-01至2026-08-31", (2026, 8, 1), (2026, 8, 31)),
        ("服务期间 2026年7月15日—2026年8月14日，合同CQ-1", (2026, 7, 15), (2026, 8, 14)),
        ("服务期：2026.7.1~2026.9.30", (2026, 7, 1), (2026, 9, 30)),
        ("账期202608", (2026, 8, 1), (2026, 8, 31)),
        ("账期：2026-02", (2026, 2, 1), (2026, 2, 28)),
        ("2026年8月算力服务费", (2026, 8, 1), (2026, 8, 31)),
        ("服务期间：2026年7月至2026年9月", (2026, 7, 1), (2026, 9, 30)),
        ("服务期间：2026年7月-9月", (2026, 7, 1), (2026, 9, 30)),
        ("服务期间：2026年7月16日至8月15日", (2026, 7, 16), (2026, 8, 15)),
        ("服务期：2026年7月1日-31日", (2026, 7, 1), (2026, 7, 31)),
    ],
)
def test_a_remark_tells_the_service_span(text: str, first: tuple[int, ...], last: tuple[int, ...]) -> None:
    span = read_remark(text).span
    assert isinstance(span, Span)
    assert (span.start, span.last) == (date(*first), date(*last))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026年7月、2026年8月",
        "2026年8月3日开具",
        "合同20260801",
        "服务期间：2026-08-31至2026-08-01",
        "账期2026",
        "2026年7月至8月",
        "2026年7月、8月",
        "账期2026年7月及8月",
        "账期202607；202608",
        "2026年7月，8月",
        "服务期间：2026年7月至8月、10月",
        "服务期间：2026年12月-1月",
    ],
)
def test_a_remark_that_names_no_one_span_tells_none(text: str) -> None:
    assert read_remark(text).span is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("合同编号：HT-2026/01，付款", "HT-2026/01"), ("合同号HT-1", "HT-1"), ("合同 20260701", "20260701"),
        ("合同：2026-07-01-003", "2026-07-01-003"), ("合同2026-0701", "2026-0701"), ("合同2026年8月服务费", ""),
        ("合同：2026-07-01签订", ""), ("合同 2026/7/1 签订，合同编号HT-7788", "HT-7788"),
    ],
)  # fmt: skip
def test_a_remark_tells_the_contract_and_takes_no_day_for_it(text: str, number: str) -> None:
    assert read_remark(text).contract_no == number


def _laughs() -> bytes:
    inner = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l0 "ha">{inner}]><EInvoice>&l9;</EInvoice>'.encode()


def _packed(name: str, size: int) -> bytes:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(name, "w") as entry,
    ):
        for _ in range(size >> 20):
            entry.write(b" " * (1 << 20))
    return file.getvalue()


def _stream_bomb() -> bytes:
    body = zlib.compress(zlib.compress(b"<" + b" " * (120 << 20), 1), 9)
    return pdf.attached(b"<a/>").replace(b"<a/>", b"<a/>") + (
        b"1 0 obj<</Length %d/Filter[/FlateDecode/FlateDecode]>>stream\n" % len(body) + body + b"\nendstream endobj"
    )


TEXT = 32 << 20
"""Bytes of a text that must be given up early; the limit would be passed by one that is held whole."""
ATTACKS: dict[str, Callable[[], bytes]] = {
    "laughs.xml": _laughs,
    "outside.xml": lambda: xml(BILL).replace(
        b"<EInvoice>", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><EInvoice>&b;'
    ),
    "laughs16.xml": lambda: _laughs().decode().encode("utf-16"),
    "laughs7.xml": lambda: b'<?xml version="1.0" encoding="UTF-7"?>' + _laughs().decode().encode("utf-7")[21:],
    "deep.xml": lambda: b"<EInvoice>" * 300_000,
    "wide.xml": lambda: b"<EInvoice>" + b"<a/>" * 2_000_000 + b"</EInvoice>",
    "bomb.ofd": lambda: _packed("OFD.xml", 120),
    "bomb.pdf": _stream_bomb,
    "line.csv": lambda: b"x" * TEXT,
    "second_line.csv": lambda: b"a,b\n" + b"x," * (TEXT // 2),
    "quote.csv": lambda: b'a,b\n"' + b"x\n" * (TEXT // 2),
    "quoted_line.csv": lambda: b'a,b\n"x\n' + b"x" * TEXT,
    "columns.csv": lambda: b"a," * 10_000_000,
    "columns_over_lines.csv": lambda: b'"\n",' * 10_000_000,
    "line16.csv": lambda: ("a,b\n" + "x" * (TEXT // 2)).encode("utf-16"),
}
WATCH = """
import resource, sys
from datetime import date
from pathlib import Path
from importers import formats, guard
from importers.worker import end_children
for path in map(Path, sys.argv[1:]):
    problems = guard.check_file(path)
    if not problems:
        kind = guard.kind_by_content(path)
        problems = list(formats.identify(path, kind).read(path, kind, today=date(2026, 11, 1)))
    end_children()
    print(",".join(getattr(p, "code", "rows") for p in problems))
    own = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
    print(max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) >> 10)
"""


def test_attacks_are_refused_in_little_memory(tmp_path: Path) -> None:
    for name, made in ATTACKS.items():
        (tmp_path / name).write_bytes(made())
    run = subprocess.run(
        [sys.executable, "-c", WATCH, *(str(tmp_path / name) for name in ATTACKS)],
        capture_output=True, text=True, timeout=120,
        env={"PYTHONPATH": ":".join(filter(None, sys.path)), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    said = run.stdout.splitlines()
    for name, codes, megabytes in zip(ATTACKS, said[::2], said[1::2], strict=True):
        assert codes
        assert "rows" not in codes, name
        assert int(megabytes) < 100, name


def test_a_document_that_takes_too_long_is_given_up_and_the_next_is_read() -> None:
    (slow,) = worker.parse("tests.samples.slow", [b"slow"], ParserLimits(wall_seconds=1))
    assert slow["code"] == "parser_stopped"
    assert worker.parse("importers.formats.einvoice_xml", [xml(BILL)])[0]["code"] == ""


def test_a_document_that_takes_too_much_memory_is_given_up() -> None:
    assert worker.parse("tests.samples.slow", [b"greedy"])[0]["code"] == "parser_stopped"
    assert worker.parse("tests.samples.slow", [b"write"])[0]["code"] == "document_broken"


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("94,339.62", "94339.62"), ("¥-566.04", "-566.04"), ("-¥566.04", "-566.04"), ("￥1", "1"),
        ("１００．５", "100.5"), ("1.000,00", None), ("9,43", None), ("1e5", None), ("", None), ("¥", None),
    ],
)  # fmt: skip
def test_an_amount_is_read_with_its_commas_in_their_places(text: str, amount: str | None) -> None:
    assert decimal(text) == (None if amount is None else Decimal(amount))
