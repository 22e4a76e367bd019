"""A zip, a folder and a return file at the door: each file by itself, and back in as it is."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import Engine

from console.imports import import_files
from importers import bundles, returns
from importers.accept import Handed
from importers.originals import Originals, packed
from importers.outcome import Outcome
from reconciliation.invariants import check_all
from tests.cases.steps import PARTIES
from tests.postgres.desk import Desk, counts, real, said, table, xlsx_bytes
from tests.samples import ofd, pdf
from tests.samples.bill import Bill, Row
from tests.samples.usage import focus, focus_csv
from tests.samples.xml import xml
from voucher.database import transaction
from voucher.errors import Misused

P, C = PARTIES["P"], PARTIES["C"]
LINE = Row(item="智算算力服务", net="1000.00", tax="60.00", quantity="1")
A = Bill(
    number=real("a"), seller=(P.uscc, P.name), buyer=(C.uscc, C.name), issued="2026-08-01", rows=(LINE,),
    remark="服务期间：2026-07-01至2026-07-31",
)  # fmt: skip


def handed_in(desk: Desk, path: Path, *, dry_run: bool = False) -> tuple[int, dict[str, tuple[object, ...]]]:
    answer = import_files(
        desk.engine, "maker1", [path], dry_run=dry_run, provider=None, service_month=None, received_on=None,
        return_file=None, invoice=None, usage=None, as_json=True,
    )  # fmt: skip
    told = {
        Path(each["file"]).name: (
            *(each.get(name) for name in ("accepted", "duplicate", "held")),
            each.get("error", {}).get("code"),
        )
        for each in answer.data["uploads"]
    }
    return answer.status, told


def kept_in_packs(desk: Desk, contents: list[bytes]) -> None:
    """See that every document lies in a pack, comes back byte for byte, and is missed when its pack is gone."""
    kept = {row[0]: row[1] for row in desk.rows("SELECT encode(sha256, 'hex'), pack FROM document WHERE pack <> ''")}
    packs = set(kept.values())
    assert {hashlib.sha256(each).hexdigest() for each in contents} <= kept.keys()
    assert {f"{pack}.zip" for pack in packs} <= set(desk.documents())
    with Originals() as originals:
        assert {originals.read(sha256, pack) for sha256, pack in kept.items()} == set(contents)
        assert {originals.size(sha256, pack) for sha256, pack in kept.items()} == set(map(len, contents))
    sha256, pack = next(iter(kept.items()))
    originals_of = packed(pack)
    aside = originals_of.rename(originals_of.with_suffix(".aside"))
    with Originals() as originals:
        assert originals.size(sha256, pack) is None
        with pytest.raises(FileNotFoundError):
            originals.read(sha256, pack)
    aside.rename(originals_of)


def bundle() -> bytes:
    inner = ofd.pack(
        {"b.xml": xml(replace(A, number=real("b"))), "c.pdf": pdf.information(replace(A, number=real("c")))}
    )
    return ofd.pack(
        {
            "a.xml": xml(A), "a.ofd": ofd.pack(ofd.tagged(A)), "坏.xml": xml(A)[:500], "more.zip": inner,
            "说明.txt": "合成说明".encode(), "x.xml": b"<!DOCTYPE a><EInvoice/>",
        }
    )  # fmt: skip


def test_each_file_of_a_zip_has_its_own_outcome(desk: Desk) -> None:
    path = desk.file(bundle(), "八月.zip")
    status, told = handed_in(desk, path)
    assert status == 3
    assert told == {
        "a.ofd": (0, 0, 1, None), "a.xml": (1, 0, 0, None), "b.xml": (1, 0, 0, None), "c.pdf": (0, 0, 1, None),
        "说明.txt": (0, 0, 0, "header_not_found"), "坏.xml": (0, 0, 0, "xml_broken"),
        "x.xml": (0, 0, 0, "doctype_refused"),
    }  # fmt: skip
    assert [number for number, _ in desk.accepted()] == [real("a"), real("b")]
    assert desk.rows("SELECT kind FROM evidence") == [("ofd",)]


def test_a_mistake_of_the_program_over_one_file_stops_no_other(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = bundles.import_handed

    def mistaken(engine: Engine, handed: Sequence[Handed], *rest: Any, **ways: Any) -> list[Outcome]:
        if any(each.received.name == "b.xml" for each in handed):
            raise ZeroDivisionError
        return whole(engine, handed, *rest, **ways)

    monkeypatch.setattr(bundles, "import_handed", mistaken)
    path = tmp_path / "three.zip"
    path.write_bytes(ofd.pack({f"{name}.xml": xml(replace(A, number=real(name))) for name in "abc"}))
    status, told = handed_in(desk, path)
    assert (status, told["b.xml"]) == (3, (None, None, None, "unexpected"))
    assert told["a.xml"][0] == told["c.xml"][0] == 1


def test_a_zip_again_changes_nothing(desk: Desk) -> None:
    path = desk.file(bundle(), "八月.zip")
    handed_in(desk, path)
    before = len(desk.accepted())
    handed_in(desk, path)
    assert len(desk.accepted()) == before


def test_two_zips_of_the_same_documents_at_once_count_each_once(desk: Desk) -> None:
    bills = [replace(A, number=f"2650200000005678{n:04d}") for n in range(8)]
    paths = [
        desk.file(ofd.pack({f"{name}{n}.xml": xml(bill) for n, bill in enumerate(order)}), f"{name}.zip")
        for name, order in (("甲", bills), ("乙", bills[::-1]))
    ]
    both = Barrier(2)

    def take(path: Path) -> dict[str, tuple[object, ...]]:
        both.wait(30)
        return handed_in(desk, path)[1]

    with ThreadPoolExecutor(2) as threads:
        told = [each for answer in threads.map(take, paths) for each in answer.values()]
    assert len(told) == 16
    assert all(error is None for *_, error in told)
    assert len({number for number, _ in desk.accepted()}) == len(desk.accepted()) == 8


def test_a_rehearsal_of_a_zip_leaves_no_trace(desk: Desk) -> None:
    before = desk.everything()
    handed_in(desk, desk.file(bundle(), "八月.zip"), dry_run=True)
    assert desk.everything() == before
    assert not [name for name in desk.documents() if len(name) == 64 and (desk.home / name).exists()]


def test_a_folder_stands_for_its_files(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "空").mkdir()
    with pytest.raises(Misused, match="没有可以导入的文件"):
        handed_in(desk, tmp_path / "空")
    folder = tmp_path / "八月"
    folder.mkdir()
    (folder / "a.xml").write_bytes(xml(A))
    (folder / "b.xml").write_bytes(xml(replace(A, number=real("b"))))
    assert handed_in(desk, folder) == (0, {"a.xml": (1, 0, 0, None), "b.xml": (1, 0, 0, None)})


def test_many_documents_of_a_zip_are_acts_of_their_own_and_come_back_in_one_file(desk: Desk, tmp_path: Path) -> None:
    red = replace(
        A, number=real("r"), red_of=real("a"), rows=(Row(net="-100.00", tax="-6.00", quantity="-1"),), remark=""
    )
    files = {f"{n:02d}.xml": xml(replace(A, number=f"2650200000001234{n:04d}")) for n in range(60)} | {
        "0red.xml": xml(red), "a.xml": xml(A), "z.xml": xml(replace(A, remark="服务期间：2026-06-01至2026-06-30")),
        "no_span.xml": xml(replace(A, number=real("n"), remark="")),
        "unknown.xml": xml(replace(A, number=real("u"), buyer=(PARTIES["X"].uscc, "重庆未登记科技有限公司"))),
    }  # fmt: skip
    path, back = desk.file(ofd.pack(files), "许多.zip"), tmp_path / "退回.xlsx"
    answer = import_files(
        desk.engine, "maker1", [path], dry_run=False, provider=None, service_month=None, received_on=None,
        return_file=back, invoice=None, usage=None, as_json=True,
    )  # fmt: skip
    assert (answer.status, len(answer.data["uploads"])) == (3, 65)
    told = {each["file"].rsplit("/")[-1]: each for each in answer.data["uploads"]}
    assert len({each["upload_id"] for each in told.values()}) == 65
    assert [told[name]["accepted"] for name in ("0red.xml", "a.xml", "z.xml", "59.xml")] == [1, 1, 0, 1]
    assert told["z.xml"]["conflict"] == told["no_span.xml"]["held"] == told["unknown.xml"]["rejected"] == 1
    assert [number for number, _ in desk.accepted()][-2:] == [real("a"), real("r")]
    assert "合计65个文件，65行：受理62行，冲突1行，退回1行，待核1行。" in answer.text
    kept_in_packs(desk, list(files.values()))
    header, *rows = CalamineWorkbook.from_path(str(back)).get_sheet_by_index(0).to_python()
    found = [dict(zip(map(str, header), row, strict=True)) for row in rows]
    assert [(row["原行号"], row["错误代码"]) for row in found] == [
        ("no_span.xml 第1行", "service_span_missing"), ("unknown.xml 第1行", "unknown_company"),
        ("z.xml 第1行", "conflict_invoice"),
    ]  # fmt: skip
    found[0] |= {"服务起始日": "2026-07-01", "服务截止日": "2026-07-31"}
    mended = xlsx_bytes(table(found[:1], [str(name) for name in header]))
    assert counts(desk.take(mended, name="改正.xlsx")) == {"accepted": 1}
    with transaction(desk.engine, "cvl_auditor") as db:
        assert check_all(db) == []


def test_usage_that_waited_for_several_documents_of_a_zip_is_taken_up_with_each(desk: Desk, tmp_path: Path) -> None:
    day = date(2026, 7, 1)
    assert counts(desk.take(focus_csv(*(focus(real(name), "1060", day) for name in "abc")), name="usage.csv")) == {
        "held": 3
    }
    path = tmp_path / "two.zip"
    path.write_bytes(ofd.pack({f"{name}.xml": xml(replace(A, number=real(name))) for name in "xba"}))
    assert handed_in(desk, path)[0] == 0
    assert desk.rows(
        "SELECT i.number, i.act_id = m.act_id AND i.act_id = d.act_id, d.metered_yuan FROM metering AS m"
        " INNER JOIN invoice AS i USING (company_id, invoice_id)"
        " INNER JOIN usage_day AS d USING (company_id, invoice_id) ORDER BY i.number"
    ) == sorted((real(name), True, 1060) for name in "ab")
    # in one transaction: none had to be tried again by itself
    assert desk.rows("SELECT count(DISTINCT CAST(xmin AS text)) FROM invoice") == [(1,)]
    with transaction(desk.engine, "cvl_auditor") as db:
        assert check_all(db) == []


def test_two_lines_alike_are_no_mistake_in_a_document(desk: Desk) -> None:
    assert counts(desk.take(xml(replace(A, rows=(LINE, LINE))), name="a.xml")) == {"accepted": 2}


def test_the_return_file_of_an_xml_is_a_template_that_goes_straight_back_in(desk: Desk, tmp_path: Path) -> None:
    held = desk.take(xml(replace(A, remark="")), name="a.xml")
    path = tmp_path / "退回.xlsx"
    assert returns.write(path, held.header, held.failing, held.problems) == 1
    header, row = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    cells = dict(zip(map(str, header), row, strict=True))
    assert cells["错误代码"] == "service_span_missing"
    cells |= {"服务起始日": "2026-07-01", "服务截止日": "2026-07-31"}
    outcome = desk.take(xlsx_bytes(table([cells], [str(name) for name in header])), name="改正.xlsx")
    assert (counts(outcome), said(outcome)) == ({"accepted": 1}, [])
    assert desk.rows("SELECT evidence FROM invoice") == [("template",)]
    assert desk.rows("SELECT kind, has_lines FROM evidence") == [("xml", True)]


def test_a_legacy_number_is_one_key_in_every_format(desk: Desk) -> None:
    old = replace(A, number="12345678", issued="2026-07-01")
    assert counts(desk.take(ofd.pack(ofd.legacy(old, "050002100111")), name="a.ofd")) == {"held": 1}
    from tests.samples import export

    data = export.csv_bytes(export.table(export.HEADER, export.rows([old], code="050002100111")))
    assert counts(desk.take(data, name="export.csv")) == {"accepted": 1}
    assert [number for number, _ in desk.accepted()] == ["050002100111-12345678"]
    assert desk.rows("SELECT kind FROM evidence") == [("ofd",)]
    assert date(2026, 7, 1) == desk.rows("SELECT lower(span) FROM invoice")[0][0]
