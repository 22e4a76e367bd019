"""One number is one invoice, whatever documents it comes in."""

from dataclasses import replace

import pytest

from console import invoices
from console.problems import problem_lines
from tests.cases.steps import PARTIES
from tests.postgres.desk import Desk, bill_of, counts, line, real, said, statuses
from tests.samples import export, ofd, pdf
from tests.samples.bill import Row
from tests.samples.xml import xml

P, C, D = (PARTIES[name] for name in "PCD")
A = bill_of(line("a"))
SPANNED = replace(A, remark="服务期间：2026-07-01至2026-07-31")
RED = replace(
    A, number=real("r"), red_of=real("a"), rows=(Row(net="-100.00", tax="-6.00", quantity="-1"),),
    remark=f"被红冲蓝字数电发票号码：{real('a')}",
)  # fmt: skip


def evidence(desk: Desk) -> list[tuple[str, str, bool]]:
    return desk.rows(
        "SELECT i.number, e.kind, e.has_lines FROM evidence AS e INNER JOIN invoice AS i USING (company_id, invoice_id)"
        " ORDER BY e.act_id, e.kind"
    )


def waits(desk: Desk) -> list[str]:
    return [row[0] for row in desk.rows("SELECT waits_for FROM held_row ORDER BY upload_id, row_no")]


def test_an_xml_with_a_span_in_its_remark_is_accepted(desk: Desk) -> None:
    outcome = desk.take(xml(SPANNED), name="a.xml")
    assert counts(outcome) == {"accepted": 1}
    assert outcome.format == "EINVOICE-XML"
    assert desk.rows("SELECT evidence, CAST(span AS text) FROM invoice") == [("xml", "[2026-07-01,2026-08-01)")]
    ((notes,),) = desk.rows("SELECT notes FROM upload")
    assert notes["数电票版本"] == "0.33"
    assert notes["税务机关签名"].endswith("未验证")


def test_five_documents_of_a_number_are_one_invoice_with_four_pieces_of_evidence(desk: Desk) -> None:
    assert counts(desk.take([line("a")])) == {"accepted": 1}
    for name, data in (
        ("a.xml", xml(SPANNED)), ("a.ofd", ofd.pack(ofd.tagged(A))), ("a.pdf", pdf.information(A)),
        ("export.csv", export.csv_bytes(export.table(export.HEADER, export.rows([A])))),
    ):  # fmt: skip
        outcome = desk.take(data, name=name)
        assert counts(outcome) == {"duplicate": 1}, (name, said(outcome))
        assert outcome.exit_status == 0
    assert evidence(desk) == [(real("a"), "xml", True), (real("a"), "ofd", False), (real("a"), "pdf", False),
                              (real("a"), "export", True)]  # fmt: skip
    assert len(desk.accepted()) == 1
    assert len(desk.documents()) >= 5


def test_lines_of_one_invoice_on_two_sheets_are_one_invoice(desk: Desk) -> None:
    """Each stands in row 2 of its sheet."""
    parts = [replace(SPANNED, rows=(Row(net=net, tax=tax),)) for net, tax in (("100.00", "6.00"), ("50.00", "3.00"))]
    one, two = (export.table(export.HEADER, export.rows([part])) for part in parts)
    twice = desk.take(export.xlsx_bytes({"明细一": one, "明细二": [*one[:2], two[1]]}), name="twice.xlsx")
    assert counts(twice) == {"rejected": 3}
    assert [(problem.sheet, problem.row, problem.code) for problem in twice.problems] == [
        ("明细一", 2, "sibling_row_failed"), ("明细二", 2, "identical_rows"), ("明细二", 3, "sibling_row_failed"),
    ]  # fmt: skip
    outcome = desk.take(export.xlsx_bytes({"明细一": one, "明细二": two}), name="export.xlsx")
    assert counts(outcome) == {"accepted": 2}, said(outcome)
    assert desk.rows("SELECT net_fen FROM invoice") == [(15000,)]
    assert desk.rows("SELECT line_no, sheet, row_no, net_fen FROM invoice_line ORDER BY line_no") == [
        (1, "明细一", 2, 10000), (2, "明细二", 2, 5000),
    ]  # fmt: skip


def test_the_same_document_again_is_a_duplicate_and_no_further_evidence(desk: Desk) -> None:
    desk.take([line("a")])
    desk.take(xml(SPANNED), name="a.xml")
    again = desk.take(xml(SPANNED).replace(b"<EInvoice>", b"<EInvoice><!-- again -->"), name="b.xml")
    assert counts(again) == {"duplicate": 1}
    assert len(evidence(desk)) == 1


@pytest.mark.parametrize("first", ["template", "xml"])
def test_other_money_in_another_kind_of_document_is_a_conflict(desk: Desk, first: str) -> None:
    other = replace(SPANNED, rows=(Row(net="1000.01", tax="60.00"),))
    if first == "template":
        desk.take([line("a")])
        outcome = desk.take(xml(other), name="a.xml")
    else:
        desk.take(xml(other), name="a.xml")
        outcome = desk.take([line("a")])
    assert counts(outcome) == {"conflict": 1}
    assert said(outcome) == [(1 if first == "template" else 2, "conflict_invoice")]
    assert evidence(desk) == []


def test_the_same_kind_with_any_other_content_is_a_conflict(desk: Desk) -> None:
    desk.take([line("a")])
    desk.take(xml(SPANNED), name="a.xml")
    outcome = desk.take(xml(replace(SPANNED, rows=(replace(SPANNED.rows[0], spec="别的"),))), name="b.xml")
    assert counts(outcome) == {"conflict": 1}


def test_an_xml_without_a_span_waits_for_its_template_row(desk: Desk) -> None:
    held = desk.take(xml(A), name="a.xml")
    assert counts(held) == {"held": 1}
    assert said(held) == [(1, "service_span_missing")]
    assert waits(desk) == ["span"]
    outcome = desk.take([line("a")])
    assert counts(outcome) == {"accepted": 1}
    assert evidence(desk) == [(real("a"), "xml", True)]
    assert desk.rows("SELECT kind, tax_code FROM evidence_line") == [("xml", "3040203000000000000")]


def test_a_service_month_releases_an_xml(desk: Desk) -> None:
    desk.take(xml(A), name="a.xml")
    outcome = desk.take(xml(A), name="a.xml", month="2026-07")
    assert counts(outcome) == {"accepted": 1}


def test_a_held_xml_is_answered_as_known_once_its_number_is_accepted(desk: Desk) -> None:
    desk.take(xml(A), name="a.xml")
    desk.take([line("a")])
    assert counts(desk.take(xml(A), name="a.xml")) == {"duplicate": 1}


def test_an_ofd_without_tax_codes_waits_and_its_span_serves_the_xml(desk: Desk) -> None:
    held = desk.take(ofd.pack(ofd.tagged(SPANNED)), name="a.ofd")
    assert counts(held) == {"held": 1}
    assert [(p.code, p.column) for p in held.problems] == [("tax_codes_missing", "税收分类编码")]
    assert waits(desk) == ["tax_codes"]
    assert counts(desk.take(xml(A), name="a.xml")) == {"accepted": 1}
    assert desk.rows("SELECT CAST(span AS text) FROM invoice") == [("[2026-07-01,2026-08-01)",)]
    assert evidence(desk) == [(real("a"), "ofd", False)]


def test_a_template_that_says_other_money_than_a_waiting_xml_is_a_conflict(desk: Desk) -> None:
    desk.take(xml(A), name="a.xml")
    outcome = desk.take([line("a", "2000.00")])
    assert counts(outcome) == {"conflict": 1}
    assert said(outcome) == [(2, "conflict_waiting")]
    assert desk.accepted() == []


@pytest.mark.parametrize("held", [pdf.qr(pdf.qr_text(A)), ofd.pack(ofd.tagged(A)), pdf.information(A)])
def test_no_document_is_accepted_against_the_money_of_one_that_waits(desk: Desk, held: bytes) -> None:
    desk.take(held, name="a")
    for other in ([line("a", "2000.00")], xml(replace(SPANNED, rows=(Row(net="1000.01", tax="60.00"),)))):
        assert said(desk.take(other, name="b"))[-1] == (2 if isinstance(other, list) else 1, "conflict_waiting")
    assert desk.accepted() == []
    assert counts(desk.take([line("a")])) == {"accepted": 1}


def test_two_lines_alike_of_a_document_are_two_lines_also_when_it_waits_for_its_blue(desk: Desk) -> None:
    desk.take(xml(replace(RED, rows=RED.rows * 2)), name="r.xml")
    assert statuses(desk.take([line("a")])) == {real("a"): "accepted", real("r"): "accepted"}


def test_a_row_that_stands_twice_in_an_export_is_a_mistake_unless_it_has_another_place(desk: Desk) -> None:
    twice = export.rows([SPANNED, SPANNED])
    assert counts(desk.take(export.csv_bytes(export.table(export.HEADER, twice)), name="e.csv")) == {"accepted": 2}
    same = export.rows([replace(SPANNED, number=real("b"))]) * 2
    outcome = desk.take(export.csv_bytes(export.table(export.HEADER, same)), name="f.csv")
    assert said(outcome) == [(2, "sibling_row_failed"), (3, "identical_rows")]


def test_a_qr_code_alone_is_a_proposal(desk: Desk) -> None:
    outcome = desk.take(pdf.qr(pdf.qr_text(A)), name="a.pdf")
    assert counts(outcome) == {"held": 1}
    assert said(outcome) == [(1, "qr_only")]
    assert waits(desk) == ["confirmation"]
    assert counts(desk.take(xml(SPANNED), name="a.xml")) == {"accepted": 1}
    assert evidence(desk) == [(real("a"), "qr", False)]


def test_a_qr_code_of_an_accepted_number_agrees_with_gross(desk: Desk) -> None:
    desk.take([line("a")])
    assert counts(desk.take(pdf.qr(pdf.qr_text(A)), name="a.pdf")) == {"duplicate": 1}
    other = replace(A, rows=(Row(net="7.00", tax="0.42"),))
    assert counts(desk.take(pdf.qr(pdf.qr_text(other)), name="b.pdf")) == {"conflict": 1}


def test_what_a_pdf_takes_from_its_qr_code_is_a_proposal_too(desk: Desk) -> None:
    undated = {name: text for name, text in pdf.keys(A).items() if name != "IssueTime"}
    wrong = pdf.qr(pdf.qr_text(A), {**undated, "TotalAmWithoutTax": "1000.01", "TotalTaxAm": "59.99"})
    for known in ({"InvoiceNumber": A.number}, undated):
        outcome = desk.take(pdf.qr(pdf.qr_text(A), known), name="a.pdf")
        assert (counts(outcome), said(outcome)) == ({"held": 1}, [(1, "qr_only")])
    assert waits(desk) == ["confirmation"] * 2
    assert counts(desk.take(wrong, name="wrong.pdf")) == {"held": 1}
    assert said(desk.take(xml(SPANNED), name="a.xml")) == [(1, "conflict_waiting")]  # the newest states another net
    right = pdf.qr(pdf.qr_text(A), {**undated, "SellerName": A.seller[1]})
    assert counts(desk.take(right, name="right.pdf")) == {"held": 1}
    assert counts(desk.take(xml(SPANNED), name="a.xml")) == {"accepted": 1}
    assert evidence(desk) == [(real("a"), "qr", False)]
    assert counts(desk.take(wrong, name="wrong.pdf")) == {"conflict": 1}


def test_a_pdf_whose_qr_code_says_otherwise_waits_for_a_person(desk: Desk) -> None:
    code = pdf.qr_text(replace(SPANNED, gross="1060.01"))
    tree = pdf.qr(code, tree=xml(SPANNED))
    outcome = desk.take(tree, name="a.pdf")
    assert (counts(outcome), said(outcome)) == ({"held": 1}, [(1, "qr_differs")])
    assert "1060.01" in outcome.problems[0].message
    assert waits(desk) == ["confirmation"]
    assert counts(desk.take([line("a")])) == {"accepted": 1}
    assert evidence(desk) == []
    assert counts(desk.take(pdf.qr(code, pdf.keys(A)), name="b.pdf")) == {"held": 1}
    assert counts(desk.take(pdf.qr(pdf.qr_text(A), pdf.keys(A)), name="c.pdf")) == {"duplicate": 1}


def test_an_eiid_that_differs_waits_for_a_person(desk: Desk) -> None:
    outcome = desk.take(xml(replace(SPANNED, eiid=real("b"))), name="a.xml")
    assert counts(outcome) == {"held": 1}
    assert said(outcome) == [(1, "eiid_differs")]
    assert waits(desk) == ["confirmation"]


@pytest.mark.parametrize("first", [True, False])
def test_a_doubtful_document_gives_no_lines_before_a_person_has_looked(desk: Desk, first: bool) -> None:
    doubtful = xml(replace(SPANNED, eiid=real("b")))
    outcomes = [
        desk.take(doubtful, name="a.xml") if each == first else desk.take([line("a")]) for each in (True, False)
    ]
    assert [counts(each) for each in outcomes] == (
        [{"held": 1}, {"accepted": 1}] if first else [{"accepted": 1}, {"held": 1}]
    )
    assert evidence(desk) == []
    assert desk.rows("SELECT evidence FROM invoice") == [("template",)]


def test_a_number_that_excel_may_have_rounded_waits_for_a_person_or_a_better_document(desk: Desk) -> None:
    rounded = "26502000000099900000"
    sheet = [line(rounded), line("a")]
    outcome = desk.take(sheet)
    assert (counts(outcome), said(outcome)) == ({"accepted": 1, "held": 1}, [(2, "number_rounded")])
    assert waits(desk) == ["confirmation"]
    assert counts(desk.take(xml(replace(SPANNED, number=rounded)), name="a.xml")) == {"accepted": 1}
    assert counts(desk.take(sheet)) == {"duplicate": 2}


def test_another_providers_document_that_names_no_provider_does_nothing_to_an_invoice(desk: Desk) -> None:
    bare = ofd.pack(ofd.custom(replace(A, seller=("", ""), rows=(Row(net="7.00", tax="0.42"),))))
    early = desk.take(pdf.qr(pdf.qr_text(A)), name="a.pdf", provider=D.uscc), desk.take(bare, provider=D.uscc)
    assert [counts(each) for each in early] == [{"held": 1}, {"held": 1}]
    assert counts(desk.take([line("a")])) == {"accepted": 1}
    assert evidence(desk) == []
    for name, data in (
        ("b.pdf", pdf.qr(pdf.qr_text(replace(A, rows=(Row(net="8.00", tax="0.48"),))))),
        ("c.ofd", bare),
    ):
        late = desk.take(data, name=name, provider=D.uscc)
        assert (counts(late), said(late)) == ({"rejected": 1}, [(1, "not_the_uploader")]), name
        assert "元" not in late.problems[0].message
    assert counts(desk.take(pdf.qr(pdf.qr_text(A)), name="d.pdf", provider=P.uscc)) == {"duplicate": 1}


def test_lines_that_no_policy_supports_are_accepted_with_a_hint(desk: Desk) -> None:
    hardware = Row(item="*计算机*服务器", net="300.00", tax="18.00", code="1090511010000000000")
    both = replace(SPANNED, rows=(*SPANNED.rows, hardware))
    outcome = desk.take(xml(both), name="a.xml")
    assert (counts(outcome), said(outcome)) == ({"accepted": 2}, [(2, "tax_code_not_supported")])
    assert "这1行不计入补贴" in outcome.problems[0].message
    alone = desk.take(xml(replace(SPANNED, number=real("b"), rows=(hardware,), remark="")), name="b.xml")
    assert said(alone) == [(1, "service_span_missing"), (1, "tax_code_not_supported")]
    assert "整张发票不计入补贴" in alone.problems[1].message
    before = replace(SPANNED, number=real("c"), rows=(hardware,), remark="服务期间：2025-01-01至2025-01-31")
    assert said(desk.take(xml(before), name="c.xml")) == []


def test_a_red_xml_waits_for_its_blue_and_comes_in_with_it(desk: Desk) -> None:
    assert counts(desk.take(xml(RED), name="r.xml")) == {"held": 1}
    outcome = desk.take(xml(SPANNED), name="a.xml")
    assert statuses(outcome) == {real("a"): "accepted", real("r"): "accepted"}
    assert desk.rows("SELECT number, evidence FROM invoice ORDER BY place") == [
        (real("a"), "xml"), (real("r"), "xml"),
    ]  # fmt: skip


def test_a_red_letter_that_is_refused_when_its_blue_comes_says_so(desk: Desk) -> None:
    desk.take(xml(replace(RED, rows=(Row(net="-1000.01", tax="-60.00", quantity="-1"),))), name="r.xml")
    outcome = desk.take(xml(SPANNED), name="a.xml")
    assert said(outcome) == [(None, "red_exceeds_blue")]
    assert f"发票{real('r')}：" in "\n".join(problem_lines(outcome.problems))
    (left,) = invoices.show(desk.engine, real("r")).data["not_accepted"]
    assert (left["outcome"], len(left["messages"])) == ("held", 2)


def test_a_red_xml_released_by_a_template_blue_keeps_its_own_kind(desk: Desk) -> None:
    desk.take(xml(RED), name="r.xml")
    desk.take([line("a")])
    assert desk.rows("SELECT number, evidence FROM invoice ORDER BY place") == [
        (real("a"), "template"), (real("r"), "xml"),
    ]  # fmt: skip


def test_other_parties_in_a_further_document_are_a_warning(desk: Desk) -> None:
    desk.take([line("a")])
    outcome = desk.take(xml(replace(SPANNED, buyer=(D.uscc, D.name))), name="a.xml")
    assert counts(outcome) == {"duplicate": 1}
    assert said(outcome) == [(1, "evidence_parties_differ")]


def test_an_export_of_invoices_without_lines_waits_for_tax_codes(desk: Desk) -> None:
    data = export.xlsx_bytes({"发票基础信息": export.table(export.INVOICES, export.invoices([SPANNED]))})
    outcome = desk.take(data, name="export.xlsx")
    assert counts(outcome) == {"held": 1}
    assert said(outcome) == [(2, "tax_codes_missing")]


def test_a_reversed_blue_of_an_export_is_not_accepted(desk: Desk) -> None:
    gone = replace(SPANNED, extra={"status": "已红冲-全额"})
    outcome = desk.take(export.csv_bytes(export.table(export.HEADER, export.rows([gone]))), name="export.csv")
    assert counts(outcome) == {"rejected": 1}
    assert said(outcome) == [(2, "reversed_blue")]


def test_the_remark_of_an_export_may_stand_on_one_row_of_its_invoice(desk: Desk) -> None:
    parts = Row(net="600.00", tax="36.00"), Row(net="400.00", tax="24.00")
    blue = replace(SPANNED, rows=parts, remark=f"合同编号：HT-77 {SPANNED.remark}")
    less = [replace(row, net=f"-{row.net}", tax=f"-{row.tax}", quantity="-1") for row in parts]
    rows = export.rows([blue, replace(RED, rows=less)])
    rows[0]["备注"] = rows[3]["备注"] = ""
    outcome = desk.take(export.csv_bytes(export.table(export.HEADER, rows)), name="export.csv")
    assert (counts(outcome), said(outcome)) == ({"accepted": 4}, [])
    assert desk.rows("SELECT contract_no, CAST(span AS text), original_number FROM invoice ORDER BY kind") == [
        ("HT-77", "[2026-07-01,2026-08-01)", None), ("", None, real("a")),
    ]  # fmt: skip


def test_what_the_sheet_of_lines_of_an_export_lacks_stands_on_the_sheet_of_invoices(desk: Desk) -> None:
    gone = replace(SPANNED, number=real("b"), extra={"status": "已红冲-全额"})
    less = replace(SPANNED, rows=(Row(net="1000.00", tax="60.00"), Row(net="-100.00", tax="-6.00", quantity="")))
    header = [name for name in export.HEADER if name not in ("发票状态", "是否正数发票", "发票风险等级", "备注")]
    sheets = {
        "发票基础信息": export.table(export.INVOICES, export.invoices([less, gone])),
        "信息汇总表": export.table(header, export.rows([less, gone])),
    }
    outcome = desk.take(export.xlsx_bytes(sheets), name="export.xlsx")
    assert statuses(outcome) == {real("a"): "accepted", real("b"): "rejected"}
    assert [code for _, code in said(outcome)] == ["reversed_blue"]
    assert desk.rows("SELECT net_fen, CAST(span AS text) FROM invoice") == [(90000, "[2026-07-01,2026-08-01)")]


@pytest.mark.parametrize("code", ["", "3040203000000000000"])
def test_the_totals_of_the_sheet_of_invoices_are_no_line_though_it_has_every_column(desk: Desk, code: str) -> None:
    """Added to the lines, the invoice would count twice."""
    many = replace(SPANNED, rows=(Row(net="600.00", tax="36.00"), Row(net="400.00", tax="24.00")))
    one = export.rows([replace(SPANNED, rows=(Row(net="1000.00", tax="60.00", code=code),))])
    sheets = {
        "发票基础信息": export.table(export.HEADER, one),
        "信息汇总表": export.table(export.HEADER, export.rows([many])),
    }
    outcome = desk.take(export.xlsx_bytes(sheets), name="export.xlsx")
    assert (counts(outcome), said(outcome)) == ({"accepted": 2}, [])
    assert desk.rows("SELECT net_fen FROM invoice") == [(100000,)]


def test_an_ofd_whose_remark_speaks_of_a_red_letter_is_none_itself(desk: Desk) -> None:
    reissue = replace(SPANNED, remark=f"{SPANNED.remark} 原发票已开具红字发票，本票为重开")
    outcome = desk.take(ofd.pack(ofd.tagged(reissue)), name="a.ofd")
    assert (counts(outcome), said(outcome)) == ({"held": 1}, [(1, "tax_codes_missing")])


def test_the_books_hold_after_every_kind_of_document(desk: Desk) -> None:
    from reconciliation import invariants
    from voucher.database import transaction

    for name, data in (
        ("a.xml", xml(A)), ("a.ofd", ofd.pack(ofd.tagged(A))), ("a.pdf", pdf.qr(pdf.qr_text(A))), ("r.xml", xml(RED)),
    ):  # fmt: skip
        desk.take(data, name=name)
    desk.take([line("a"), line("b")])
    assert [kind for _, kind, _ in evidence(desk)] == ["ofd", "qr", "xml"]
    with transaction(desk.engine, "cvl_auditor") as db:
        assert invariants.check_all(db) == []
