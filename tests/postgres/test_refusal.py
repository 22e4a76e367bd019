"""Refusals are proposals: what refuses one, and that the newest approved word on a year holds."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Engine

from settlement import refusal
from tests.cases.histories import invoice, red_of, usual
from tests.postgres.recorder import CHECKER, MAKER, PROGRAMME, number, record
from tests.postgres.witness import draft, lines_of
from voucher import approval
from voucher.database import transaction
from voucher.errors import CvlError, Misused, Refused

FACTS = replace(usual(), invoices=[invoice(1, 62_000_000, date(2026, 12, 1), date(2027, 1, 31))])


@pytest.fixture
def engine(db_engine: Engine) -> Engine:
    """Give a ledger with one claim of 62,000.00 in each of two years."""
    with transaction(db_engine) as db:
        record(db, "usual", FACTS)
    return db_engine


def proposed(engine: Engine, year: int | None, *, lift: bool = False, why: str = "查实", symbol: str = "1") -> int:
    with transaction(engine) as db:
        return refusal.propose(db, MAKER, PROGRAMME, number(symbol), year, why=why, lift=lift)


def decided(engine: Engine, year: int | None, *, lift: bool = False) -> None:
    act = proposed(engine, year, lift=lift)
    with transaction(engine) as db:
        approval.decide(db, act, "approved", CHECKER)


def granted(engine: Engine) -> dict[int, int]:
    with transaction(engine) as db:
        return {row["cap_year"]: row["granted_fen"] for row in lines_of(db, draft(db))}


def test_a_proposal_refuses_nothing_before_it_is_approved(engine: Engine) -> None:
    act = proposed(engine, None)
    assert granted(engine) == {2026: 6_200_000, 2027: 6_200_000}
    with transaction(engine) as db:
        approval.decide(db, act, "approved", CHECKER)
    assert granted(engine) == {2026: 0, 2027: 0}


def test_the_newest_word_on_a_year_holds(engine: Engine) -> None:
    decided(engine, None)
    for year in (None, 2026):
        with pytest.raises(Refused, match="already_refused"):
            proposed(engine, year, why="另一个理由")
    decided(engine, 2026, lift=True)
    with pytest.raises(Refused, match="not_refused"):
        proposed(engine, 2026, lift=True, why="另一个理由")
    assert granted(engine) == {2026: 6_200_000, 2027: 0}
    decided(engine, 2026)
    decided(engine, None, lift=True)
    assert granted(engine) == {2026: 6_200_000, 2027: 6_200_000}
    with pytest.raises(Refused, match="not_refused"):
        proposed(engine, None, lift=True, why="另一个理由")


@pytest.mark.parametrize(
    ("more", "code", "kind"),
    [
        ({"why": " "}, "why", Misused),
        ({"symbol": "9"}, "no_invoice", Refused),
        ({"lift": True}, "not_refused", Refused),
        ({"year": 2028}, "no_claim", Refused),
    ],
)
def test_what_cannot_be_refused_or_lifted_is_told(
    engine: Engine, more: dict[str, str | int | bool], code: str, kind: type[CvlError]
) -> None:
    with pytest.raises(kind) as caught:
        proposed(engine, **({"year": 2026} | more))  # type: ignore[arg-type]
    assert caught.value.code == code


def test_of_a_red_letter_its_blue_is_refused(db_engine: Engine) -> None:
    (blue,) = FACTS.invoices
    with transaction(db_engine) as db:
        record(db, "usual", replace(FACTS, invoices=[blue, red_of(blue, 2, 100)]))
    with pytest.raises(Refused, match="red_letter"):
        proposed(db_engine, None, symbol="2")


def test_the_same_twice_is_one_and_another_has_to_wait(engine: Engine) -> None:
    assert proposed(engine, 2026) == proposed(engine, 2026)
    with pytest.raises(Refused, match="proposal_pending"):
        proposed(engine, 2026, why="另有原因")
