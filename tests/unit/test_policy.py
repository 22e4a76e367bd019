"""Policy files: what is shipped, what is refused, and which document holds on a day."""

import hashlib
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from settlement.policy import (
    HEADER,
    RULES,
    BadPolicy,
    Fault,
    Policy,
    cap_for_year,
    check,
    from_parameters,
    governing,
    in_force,
    load,
    parameters,
    shipped,
)
from voucher.days import OPEN_END, Span, inclusive

FILE = Path(__file__).parents[2] / "settlement" / "policies" / "cq-2025-12-08.1.toml"
TEXT = FILE.read_text("utf-8")
POLICY = load(FILE)


def faults(old: str, new: str) -> set[tuple[str, str]]:
    """Return code and parameter of each fault of the shipped file with one edit."""
    assert old in TEXT
    return codes(check([TEXT.replace(old, new, 1).encode()]))


def codes(found: list[Fault]) -> set[tuple[str, str]]:
    return {(fault.code, fault.parameter) for fault in found}


def header(policy: Policy) -> dict[str, str | None]:
    return {name: getattr(policy, name) for name in (*HEADER, "sha256")}


def amended(**changes: object) -> Policy:
    """Return a document that supersedes the shipped one from 2026-07-01."""
    span = Span(date(2026, 7, 1), POLICY.span.end)
    return replace(POLICY, **{"id": "v2", "supersedes": POLICY.id, "span": span, **changes})  # type: ignore[arg-type]


def test_the_shipped_files_are_without_fault() -> None:
    assert shipped()
    assert check(shipped()) == []


def test_the_document_says_what_the_design_says() -> None:
    assert POLICY.number == "渝经信规范〔2025〕12号"
    assert POLICY.span == inclusive(date(2025, 12, 25), date(2027, 12, 31))
    assert (POLICY.rate_bp, POLICY.annual_cap_fen, POLICY.min_spend_fen) == (2000, 100_000_000, 0)
    assert POLICY.categories == {"ai_agent": "智能体", "digital_twin": "数字孪生体"}
    assert (POLICY.overlap, POLICY.joint_limit_bp, POLICY.over_budget) == ("exclusive", None, "refuse")
    assert POLICY.related_party_share_bp == 2500
    assert POLICY.deadline(2026) == date(2027, 3, 31)
    assert POLICY.eligible_tax_codes == ("3040201", "3040202", "3040203", "3040204", "3040205")
    assert POLICY.sha256 == hashlib.sha256(FILE.read_bytes()).hexdigest()


def test_every_parameter_is_cited_or_marked_as_assumed() -> None:
    for policy in shipped():
        given = {name for name in RULES if getattr(policy, name) is not None}
        assert set(policy.grounds) == given | {"effective"}
        assert all(ground.article or ground.assumed for ground in policy.grounds.values())


def test_a_document_survives_the_database() -> None:
    stored = json.loads(json.dumps(parameters(POLICY)))
    assert (stored["from_on"], stored["until_on"]) == ("2025-12-25", "2028-01-01")
    assert set(stored) == {*RULES, "from_on", "until_on", "grounds", "name"}
    assert stored["name"] == "渝经信规范〔2025〕12号（八）"
    assert from_parameters(header(POLICY), stored) == POLICY


def test_a_changed_parameter_is_checked_too() -> None:
    stored = parameters(POLICY) | {"rate_bp": 20.5}
    with pytest.raises(BadPolicy, match="rate_bp"):
        from_parameters(header(POLICY), stored)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("value = 2000", "value = 2000.0", ("bad_value", "rate_bp")),
        ("value = 2000", 'value = "2000"', ("bad_value", "rate_bp")),
        ("value = 2000", "value = true", ("bad_value", "rate_bp")),
        ("value = 2000", "value = 10001", ("bad_value", "rate_bp")),
        ("value = 2000", "value = -1", ("bad_value", "rate_bp")),
        ("value = 100000000", "value = 10000000000000", ("bad_value", "annual_cap_fen")),
        ('value = "exclusive"', 'value = "both"', ("bad_value", "overlap")),
        ('value = "exclusive"', 'value = "joint_limit"', ("missing", "joint_limit_bp")),
        ('value = "03-31"', 'value = "02-29"', ("bad_value", "claim_deadline")),
        ('value = "03-31"', "value = 331", ("bad_value", "claim_deadline")),
        ('"3040205"]', '"3040201"]', ("bad_value", "eligible_tax_codes")),
        ('"3040205"]', "3040205]", ("bad_value", "eligible_tax_codes")),
        ('digital_twin = "数字孪生体"', 'digital_twin = "智能体"', ("bad_value", "categories")),
        ("[rate_bp]", "[rate]", ("unknown_key", "rate")),
        ("[rate_bp]", "[rate]", ("missing", "rate_bp")),
        ("[rate_bp]", "[rate_bp]\nunit = 1", ("unknown_key", "rate_bp.unit")),
        ('article = "（八）按实际', 'assumed = "" # ', ("no_ground", "rate_bp")),
        ('article = "（八）按实际', 'note = "', ("no_ground", "rate_bp")),
        ("until = 2027-12-31", "until = 2025-12-24", ("bad_value", "effective")),
        ("from = 2025-12-25", 'from = "2025-12-25"', ("bad_value", "effective")),
        ('id = "cq', 'id = "CQ', ("bad_value", "id")),
        ('issuer = "重庆市经济和信息化委员会"', "issuer = 1", ("bad_value", "issuer")),
        ("[rate_bp]", "[rate_bp", ("not_toml", "")),
        ('item = "（八）"', 'item = "（八）"\nitem = "（九）"', ("not_toml", "")),
    ],
)
def test_a_faulty_file_is_refused_with_the_parameter(old: str, new: str, expected: tuple[str, str]) -> None:
    assert expected in faults(old, new)


def test_all_faults_of_a_file_are_told_at_once() -> None:
    text = TEXT.replace("value = 2000", "value = 0.2").replace("[min_spend_fen]", "[min_spend]")
    assert codes(check([text.encode()])) >= {
        ("bad_value", "rate_bp"),
        ("unknown_key", "min_spend"),
        ("missing", "min_spend_fen"),
    }


def test_a_limit_for_both_subsidies_needs_its_own_ground() -> None:
    text = TEXT.replace('value = "exclusive"', 'value = "joint_limit"')
    assert codes(check([f"{text}\n[joint_limit_bp]\nvalue = 5000\n".encode()])) == {("no_ground", "joint_limit_bp")}
    good = load(f'{text}\n[joint_limit_bp]\nvalue = 5000\nassumed = "算例"\n'.encode())
    assert (good.overlap, good.joint_limit_bp) == ("joint_limit", 5000)


def test_a_document_without_until_is_open() -> None:
    assert load(TEXT.replace("until = 2027-12-31\n", "").encode()).span.end == OPEN_END


def test_a_change_supersedes_the_old_file_from_its_start() -> None:
    spans = [(policy.id, span.start, span.end) for policy, span in in_force([amended(), POLICY])]
    assert spans == [
        (POLICY.id, date(2025, 12, 25), date(2026, 7, 1)),
        ("v2", date(2026, 7, 1), date(2028, 1, 1)),
    ]
    assert check([POLICY, amended()]) == []


def test_a_change_from_the_first_day_leaves_nothing_of_the_old_file() -> None:
    assert [policy.id for policy, _ in in_force([POLICY, amended(span=POLICY.span)])] == ["v2"]


def test_the_cap_of_a_year_is_that_of_its_last_covered_day() -> None:
    documents = in_force([POLICY, amended(annual_cap_fen=7, span=Span(date(2026, 12, 31), date(2027, 6, 1)))])
    assert [cap_for_year(documents, year) for year in (2024, 2025, 2026, 2027, 2028)] == [
        0,
        100_000_000,
        7,
        7,
        0,
    ]
    assert governing(documents, 2028) is None


def test_gaps_and_undeclared_overlaps_are_faults() -> None:
    later = amended(supersedes=None, span=Span(date(2028, 1, 2), date(2029, 1, 1)))
    assert codes(check([POLICY, later])) == {("gap", "effective")}
    assert codes(check([POLICY, replace(later, span=Span(date(2028, 1, 1), date(2029, 1, 1)))])) == set()
    assert codes(check([POLICY, replace(later, span=Span(date(2027, 12, 31), date(2029, 1, 1)))])) == {
        ("overlap", "effective")
    }


def test_two_programmes_must_not_share_a_prefix_on_the_same_day() -> None:
    other = replace(POLICY, id="other.1", programme="other", eligible_tax_codes=("3040203", "109"))
    assert codes(check([POLICY, other])) == {("equal_tax_prefix", "eligible_tax_codes")}
    assert check([POLICY, replace(other, span=Span(date(2028, 1, 1), date(2029, 1, 1)))]) == []
    assert check([POLICY, replace(other, eligible_tax_codes=("30402031", "304"))]) == []


def test_references_and_words_are_checked_over_files() -> None:
    assert codes(check([POLICY, POLICY])) >= {("same_id", "id")}
    assert ("unknown_superseded", "supersedes") in codes(check([POLICY, amended(supersedes="nobody")]))
    other = replace(POLICY, id="z", programme="other", eligible_tax_codes=("1",), categories={"agent": "智能体"})
    assert codes(check([POLICY, other])) == {("category_words", "categories")}
