"""The registry files: what they say is on record at once, changed bank accounts once a second person agrees."""

import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from stdnum.cn import uscc

from importers.registry import Taken
from reconciliation import invariants
from tests.cases import sheets
from tests.cases.steps import PARTIES
from tests.postgres.conftest import TODAY, Clone
from tests.postgres.desk import CHECKER, MAKER, Desk, companies, csv_bytes, providers, real, said, xlsx_bytes
from voucher import approval, seal
from voucher.database import run, transaction
from voucher.errors import Broken, Refused

C, D, P, Q = (PARTIES[symbol].uscc for symbol in "CDPQ")
NOW = 2**62


@pytest.fixture
def desk(db_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("CVL_HOME", str(tmp_path / "home"))
    return Desk(db_engine, tmp_path / "home")


@pytest.fixture(scope="module")
def still(clone: Clone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Give one desk for all files that are not taken: none of them leaves anything."""
    home = tmp_path_factory.mktemp("desk") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CVL_HOME", str(home))
        patch.setenv("CVL_TODAY", TODAY)
        yield Desk(clone(), home)


def account(code: str, number: Any = "6222000011112222", **other: str) -> list[Any]:
    """Write a row of a companies file with an account."""
    cells = {"name": "某公司", "holder": "", "bank": "重庆银行", "clearing": "313653000013", "until": "", **other}
    first = [code, cells["name"], "智能体", "2025-01-01", cells["until"], ""]
    return [*first, cells["holder"], cells["bank"], number, cells["clearing"]]


def file(kind: str, *rows: list[Any]) -> list[list[Any]]:
    """Put rows under the header of a kind."""
    return [getattr(sheets, kind.upper()).split(","), *rows]


def accounts(desk: Desk) -> list[tuple[str, str]]:
    """List the account in force of each company."""
    return desk.rows(
        "SELECT DISTINCT ON (p.uscc) p.uscc, b.account_no FROM bank_account AS b"
        " INNER JOIN party AS p ON p.party_id = b.company_id INNER JOIN seal AS s ON s.act_id = b.act_id"
        " ORDER BY p.uscc, s.no DESC, b.row_no DESC"
    )


def decide(desk: Desk, taken: Taken, verdict: str = "approved", **other: Any) -> dict[str, Any]:
    assert taken.proposal is not None
    proposal = taken.proposal
    return run(desk.engine, lambda db: approval.decide(db, proposal, verdict, CHECKER, **other))


# the five kinds

KINDS = {
    "companies": (
        file("companies", [C, "丙公司", "数字孪生体", "2026-01-01", "2026-12-31", "认〔2026〕1号", "", "", "", ""]),
        "SELECT category, span, from_on FROM qualification_at(:now)",
        [("digital_twin", (date(2026, 1, 1), date(2027, 1, 1)), date(2026, 1, 1))],
    ),
    "providers": (
        file("providers", [P, "甲公司", "2026/1/1", ""]),
        "SELECT span, from_on FROM listing_at(:now)",
        [((date(2026, 1, 1), date(2200, 1, 1)), date(2026, 1, 1))],
    ),
    "relations": (
        file(
            "relations",
            [P, C, "持股", "24.99%", "2026-04-01", "2026-04-30"],
            [P, D, "同一实控人", "", "20260401", ""],
        ),
        "SELECT kind, share_bp, span FROM relation_at(:now) ORDER BY kind DESC",
        [
            ("shareholding", 2499, (date(2026, 4, 1), date(2026, 5, 1))),
            ("common_control", None, (date(2026, 4, 1), date(2200, 1, 1))),
        ],
    ),
    "subsidies": (
        file("subsidies", [real("a"), "区级|补贴", "1,234.50", "是"], [real("b"), "区级|补贴", "0", "否"]),
        "SELECT invoice_number, policy_name, amount_fen, waived FROM subsidy_at(:now) ORDER BY 1",
        [(real("a"), "区级|补贴", 123_450, True), (real("b"), "区级|补贴", 0, False)],
    ),
    "payments": (
        file("payments", [real("a"), "2026年8月1日", "LS-1", "-5.00"]),
        "SELECT invoice_number, paid_on, reference, amount_fen FROM invoice_payment_at(:now)",
        [(real("a"), date(2026, 8, 1), "LS-1", -500)],
    ),
}  # fmt: skip


def written(sheet: list[list[Any]], form: str) -> bytes:
    return xlsx_bytes(sheet) if form == "xlsx" else csv_bytes(sheet, form)


@pytest.mark.parametrize("form", ["utf-8", "utf-8-sig", "gb18030", "xlsx"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_header_tells_the_kind_of_a_register(desk: Desk, kind: str, form: str) -> None:
    sheet, statement, expected = KINDS[kind]
    taken = desk.register(written(sheet, form))
    assert (taken.exit_status, said(taken), taken.rows) == (0, [], len(sheet) - 1)
    assert taken.kind is not None
    assert taken.kind.name == kind
    found = [
        tuple((cell.lower, cell.upper) if hasattr(cell, "lower_inc") else cell for cell in row)
        for row in desk.rows(statement, now=NOW)
    ]
    assert found == expected


def test_columns_may_stand_in_any_order_and_below_a_title(desk: Desk) -> None:
    rows = [
        ["入库服务商名单"],
        ["入库止", "服务商名称", "入库起", "统一社会信用代码", "备注"],
        ["", "甲", "2026-01-01", P, "x"],
    ]
    assert desk.register(xlsx_bytes(rows)).exit_status == 0
    assert desk.rows("SELECT from_on FROM listing") == [(date(2026, 1, 1),)]


def test_a_party_keeps_one_id_and_its_newest_name(desk: Desk) -> None:
    desk.register(companies("C"))
    desk.register(file("companies", [C, "丙（新名）", "智能体", "2025-01-01", "", "", "", "", "", ""]))
    desk.register(file("providers", [C, "丙（新名）", "2025-01-01", ""]))
    assert desk.rows("SELECT count(*) FROM party") == [(1,)]
    assert desk.rows("SELECT name FROM party_name_at(:now)", now=NOW) == [("丙（新名）",)]
    assert desk.rows("SELECT count(*) FROM party_name") == [(2,)]


# the newest row of a key wins


def spans(desk: Desk) -> list[tuple[date, date | None]]:
    found = desk.rows("SELECT from_on, upper(span) FROM qualification_at(:now) ORDER BY 1", now=NOW)
    return [(row[0], row[1]) for row in found]


def test_the_newest_row_of_a_key_wins_and_absence_deletes_nothing(desk: Desk) -> None:
    desk.register(companies("C", "D"))
    desk.register(companies("C", until="2026-06-30"))
    assert spans(desk) == [(date(2025, 1, 1), date(2026, 7, 1)), (date(2025, 1, 1), date(2200, 1, 1))]


def test_the_later_row_of_a_key_in_one_file_wins(desk: Desk) -> None:
    rows = companies("C", until="2026-03-31") + companies("C", until="2026-06-30")[1:]
    desk.register(rows)
    assert spans(desk) == [(date(2025, 1, 1), date(2026, 7, 1))]


def test_a_row_that_ends_before_it_begins_voids_its_key(desk: Desk) -> None:
    desk.register(companies("C"))
    desk.register(companies("C", since="2026-01-01"))
    desk.register(companies("C", until="2024-12-31"))
    assert spans(desk) == [(date(2025, 1, 1), None), (date(2026, 1, 1), date(2200, 1, 1))]


def test_the_same_file_again_changes_nothing(desk: Desk) -> None:
    first = desk.register(companies("C"))
    before = desk.everything()
    again = desk.register(companies("C"), name="又一次.csv")
    assert (first.fresh, again.fresh, again.exit_status, again.sha256) == (True, False, 0, first.sha256)
    assert desk.everything() == before


def test_a_file_taken_again_after_another_makes_its_rows_the_newest(desk: Desk) -> None:
    a, b = companies("C"), companies("C", until="2026-06-30")
    for sheet in (a, b, a):
        assert desk.register(sheet).fresh
    assert spans(desk) == [(date(2025, 1, 1), date(2200, 1, 1))]
    assert not desk.register(a).fresh
    assert desk.register(b).fresh
    assert spans(desk) == [(date(2025, 1, 1), date(2026, 7, 1))]


def test_a_file_of_another_kind_does_not_come_between(desk: Desk) -> None:
    desk.register(companies("C"))
    desk.register(providers("P"))
    assert not desk.register(companies("C")).fresh


# what is wrong with a file


@pytest.mark.parametrize(
    ("kind", "row", "code", "column"),
    [
        ("companies", ["1", "x", "智能体", "2026-01-01", "", "", "", "", "", ""], "bad_uscc", "统一社会信用代码"),
        ("companies", [C, "", "智能体", "2026-01-01", "", "", "", "", "", ""], "required", "企业名称"),
        ("companies", [C, "x", "智能机器", "2026-01-01", "", "", "", "", "", ""], "bad_choice", "类别"),
        ("companies", [C, "x", "智能体", "2026-13-01", "", "", "", "", "", ""], "bad_day", "资格起"),
        ("companies", [C, "x", "智能体", "2026-01-01", "长期", "", "", "", "", ""], "bad_day", "资格止"),
        ("companies", account(C, "6222-甲"), "bad_account", "银行账号"),
        ("companies", account(C, ""), "required", "银行账号"),
        ("companies", account(C, 6222000011112222.0), "number_lost", "银行账号"),
        ("relations", [P, C, "持股", "", "2026-01-01", ""], "required", "比例"),
        ("relations", [P, C, "持股", "100.01", "2026-01-01", ""], "bad_percent", "比例"),
        ("relations", [P, C, "持股", "30.123", "2026-01-01", ""], "bad_percent", "比例"),
        ("relations", [P, C, "持股", "三成", "2026-01-01", ""], "bad_percent", "比例"),
        ("relations", [P, C, "持股", 0.3, "2026-01-01", ""], "bad_percent", "比例"),
        ("relations", [P, C, "亲戚", "30", "2026-01-01", ""], "bad_choice", "关系"),
        ("subsidies", [real("a"), "区级", "-1", "否"], "bad_amount", "已获补贴金额"),
        ("subsidies", [real("a"), "区级", "1", "不"], "bad_choice", "放弃"),
        ("payments", ["2.65E+19", "2026-01-01", "LS", "1"], "number_lost", "发票号码"),
        ("payments", [real("a"), "2026-01-01", "LS|1", "1"], "bad_character", "流水号"),
        ("payments", [real("a"), "2026-01-01", "LS", "1.001"], "bad_amount", "金额"),
        ("providers", [P, "甲", "2026-01-01", "", "多一格"], "too_many_cells", ""),
    ],
)  # fmt: skip
def test_a_register_with_one_wrong_cell_is_not_taken_at_all(
    still: Desk, kind: str, row: list[Any], code: str, column: str
) -> None:
    good = KINDS[kind][0][1]
    before = still.everything()
    taken = still.register(xlsx_bytes(file(kind, good, row)))
    (problem,) = taken.problems
    assert (taken.exit_status, problem.row, problem.code, problem.column) == (1, 3, code, column)
    assert problem.message.endswith("。")
    assert "{" not in problem.message
    assert (still.everything(), still.documents()) == (before, [])


def test_parties_in_each_others_column_are_refused(desk: Desk) -> None:
    right = [P, C, "同一实控人", "", "2026-01-01", ""]
    assert desk.register(file("relations", [C, P, *right[2:]])).problems == []  # who is who is not known yet
    desk.register(companies("C"))
    desk.register(providers("P"))
    taken = desk.register(file("relations", right, [C, P, *right[2:]], [C, C, *right[2:]]))
    assert (taken.exit_status, said(taken)) == (1, [(3, "parties_swapped"), (4, "same_party")])
    assert desk.register(file("contracts", ["HT", C, P, "1.00", "2026-01-01", ""])).exit_status == 1
    assert desk.register(file("relations", right)).exit_status == 0


def test_a_wrong_category_is_answered_with_the_words_of_the_policy(still: Desk) -> None:
    taken = still.register(file("companies", [C, "x", "机器人", "2026-01-01", "", "", "", "", "", ""]))
    assert "智能体、数字孪生体" in taken.problems[0].message


def test_a_doubtful_organisation_digit_is_only_a_warning(desk: Desk) -> None:
    code = "91500000MA5UPP010"
    code += uscc.calc_check_digit(code)
    taken = desk.register(file("providers", [code, "x", "2026-01-01", ""]))
    assert (taken.exit_status, said(taken)) == (0, [(2, "uscc_organisation_digit")])
    assert desk.rows("SELECT count(*) FROM listing") == [(1,)]


@pytest.mark.parametrize(
    ("data", "code", "value"),
    [
        (b"", "empty_file", ""),
        (b"%PDF-1.7\n", "not_a_spreadsheet", ""),
        (csv_bytes([["甲", "乙"], ["1", "2"]]), "missing_columns", None),
        (csv_bytes([sheets.COMPANIES.split(",")[:-1]]), "missing_columns", "联行号"),
        (csv_bytes([["统一社会信用代码", "服务商名称", "入库起"]]), "missing_columns", "入库止"),
        (csv_bytes([[*sheets.PROVIDERS.split(","), "入库起"], [P, "", "", "", ""]]), "duplicate_columns", "入库起"),
        (csv_bytes([sheets.PAYMENTS.split(",")]), "no_rows", ""),
        (csv_bytes(providers("P")) + b'"', "unterminated_quote", ""),
    ],
)  # fmt: skip
def test_a_file_that_is_no_register_is_refused_in_one_sentence(
    still: Desk, data: bytes, code: str, value: str | None
) -> None:
    taken = still.register(data)
    assert (taken.exit_status, [problem.code for problem in taken.problems]) == (1, [code])
    assert value is None or taken.problems[0].value == value
    assert still.documents() == []


def test_a_workbook_is_read_from_the_first_sheet_with_rows_and_says_what_it_left_out(desk: Desk) -> None:
    note = [[f"说明{number}"] for number in range(12)]
    listed, empty = providers("Q"), providers()
    taken = desk.register(xlsx_bytes(note, empty, listed), "名单.xlsx")
    assert (taken.exit_status, taken.rows, said(taken)) == (0, 1, [])
    taken = desk.register(xlsx_bytes(listed, providers("P")), "名单2.xlsx")
    assert (taken.exit_status, taken.rows, said(taken)) == (3, 1, [(None, "other_sheet_ignored")])


def test_a_sheet_that_lacks_a_column_is_said_too(desk: Desk) -> None:
    listed, empty, lacking = providers("P"), providers(), [row[:-1] for row in providers("Q")]
    for place, tables in enumerate(((lacking, listed), (listed, lacking))):
        taken = desk.register(xlsx_bytes(*tables, [["说明"]]), f"{place}.xlsx")
        assert (taken.exit_status, taken.rows, said(taken)) == (3, 1, [(None, "other_sheet_ignored")])
    for tables in ((empty, lacking), (lacking, empty)):
        taken = desk.register(xlsx_bytes(*tables), "无行.xlsx")
        assert (taken.exit_status, taken.problems[0].code) == (1, "missing_columns")


def test_a_result_is_of_today_at_the_latest_and_a_clearing_number_has_twelve_digits(still: Desk) -> None:
    header = ["发票号码", "查验日期", "查验结果", "查验人"]
    taken = still.register(csv_bytes([header, [real("a"), "2026-08-16", "一致", "张三"]]))
    assert (taken.exit_status, said(taken)) == (1, [(2, "day_ahead")])
    assert said(still.register(file("companies", account(C, clearing="31365300001"), ["x"]))) == [
        (2, "clearing_no_differs"), (3, "bad_uscc"), *[(3, "required")] * 3,
    ]  # fmt: skip


# bank accounts


def test_the_first_account_of_a_company_needs_no_second_person(desk: Desk) -> None:
    taken = desk.register(file("companies", account(C, "6222 0000-1111 2222"), account(D, "AB12")))
    assert (taken.exit_status, taken.proposal) == (0, None)
    assert accounts(desk) == sorted([(C, "6222000011112222"), (D, "AB12")])
    assert desk.rows("SELECT account_last4, holder FROM bank_account ORDER BY row_no") == [
        ("2222", "某公司"),
        ("AB12", "某公司"),
    ]


def test_all_changed_accounts_of_a_file_are_one_proposal_and_the_rest_takes_effect(desk: Desk) -> None:
    desk.register(file("companies", account(C, "1111"), account(D, "2222")))
    taken = desk.register(
        file("companies", account(C, "3333", until="2026-12-31"), account(D, "4444"), account(Q, "5555"))
    )
    assert taken.exit_status == 3
    assert accounts(desk) == sorted([(C, "1111"), (D, "2222"), (Q, "5555")])
    assert (date(2025, 1, 1), date(2027, 1, 1)) in spans(desk)
    assert decide(desk, taken)["accounts"] == 2
    assert accounts(desk) == sorted([(C, "3333"), (D, "4444"), (Q, "5555")])
    (owner,) = desk.rows("SELECT DISTINCT a.actor FROM bank_account AS b INNER JOIN act AS a ON a.act_id = b.act_id"
                         " WHERE b.account_no = '3333'")  # fmt: skip
    assert owner == ("checker1",)


def test_a_change_of_bank_or_holder_alone_is_a_change_too(desk: Desk) -> None:
    desk.register(file("companies", account(C)))
    assert desk.register(file("companies", account(C, until="2026-12-31"))).exit_status == 0
    assert desk.register(file("companies", account(C, bank="建设银行"))).exit_status == 3
    assert desk.register(file("companies", account(C, holder="别人"))).exit_status == 3


def test_a_rejected_change_changes_nothing(desk: Desk) -> None:
    desk.register(file("companies", account(C, "1111")))
    taken = desk.register(file("companies", account(C, "3333")))
    with pytest.raises(Refused, match="why"):
        decide(desk, taken, "rejected")
    decide(desk, taken, "rejected", why="户名不符")
    assert accounts(desk) == [(C, "1111")]
    with pytest.raises(Refused, match="decided"):
        decide(desk, taken)


def test_the_maker_of_a_change_does_not_approve_it(desk: Desk) -> None:
    desk.register(file("companies", account(C, "1111")))
    taken = desk.register(file("companies", account(C, "3333")))
    assert taken.proposal is not None
    proposal = taken.proposal
    with pytest.raises(Refused, match="second_person"):
        run(desk.engine, lambda db: approval.decide(db, proposal, "approved", MAKER))
    assert accounts(desk) == [(C, "1111")]


def test_no_sealed_byte_and_no_payload_holds_an_account_number(desk: Desk) -> None:
    numbers = ["6222000011112222", "6222000033334444"]
    desk.register(file("companies", account(C, numbers[0])))
    taken = desk.register(file("companies", account(C, numbers[1])))
    decide(desk, taken)
    with transaction(desk.engine, "cvl_auditor") as db:
        acts = [row[0] for row in db.execute(text("SELECT act_id FROM act ORDER BY act_id"))]
        sealed = b"".join(piece for act in acts for piece in seal.body(db, act))
    assert b"|2222|" in sealed
    assert b"4444" in sealed
    for number in numbers:
        assert number.encode() not in sealed
        assert number[:12].encode() not in sealed
    for salt, digest in desk.rows("SELECT account_salt, account_sha256 FROM bank_account"):
        assert any(hashlib.sha256(salt + number.encode()).digest() == digest for number in numbers)
    assert len({row[0] for row in desk.rows("SELECT account_salt FROM bank_account")}) == 2


def test_an_auditor_cannot_read_accounts_that_wait(desk: Desk) -> None:
    desk.register(file("companies", account(C, "1111")))
    desk.register(file("companies", account(C, "3333")))
    with pytest.raises(Exception, match="permission denied"):
        desk.rows("SELECT account_no FROM pending_account")


def test_a_waiting_account_that_was_exchanged_is_not_approved(desk: Desk) -> None:
    desk.register(file("companies", account(C, "1111")))
    taken = desk.register(file("companies", account(C, "3333")))
    with transaction(desk.engine, "cvl_owner") as db:
        db.execute(text("UPDATE pending_account SET account_no = '9999'"))
    with pytest.raises(Broken, match="account_changed"):
        decide(desk, taken)
    assert accounts(desk) == [(C, "1111")]


def test_a_change_of_accounts_that_waits_is_held_against_its_proposal(desk: Desk) -> None:
    desk.register(file("companies", account(C, "1111")))
    desk.register(file("companies", account(C, "3333")))
    assert run(desk.engine, invariants.check_all, "cvl_auditor") == []
    for change in ("UPDATE pending_account SET holder = 'x'", "DELETE FROM pending_account"):
        with transaction(desk.engine, "cvl_owner") as db:
            db.execute(text(change))
        found = run(desk.engine, invariants.check_all, "cvl_auditor")
        assert [(each.check, each.subject) for each in found] == [("pending_accounts", C)]


def test_the_bytes_of_a_register_are_kept(desk: Desk) -> None:
    data = csv_bytes(companies("C"), "gb18030")
    taken = desk.register(data)
    assert desk.documents() == [taken.sha256] == [hashlib.sha256(data).hexdigest()]
    assert desk.rows("SELECT encode(sha256, 'hex'), size_bytes FROM document") == [(taken.sha256, len(data))]
