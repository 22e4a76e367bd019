"""pain.001 as we write it: valid by the schema of ISO 20022, and narrower still: whatever is changed is found."""

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import distribution
from typing import Any

import pytest
from lxml import etree

from reconciliation import bank_profile, payout
from voucher.errors import Refused

PROFILE = replace(
    bank_profile.find(None), payer={"name": "合成部门", "account": "0000000000000000009", "clearing_no": "000000000009"}
)
BATCH = {
    "batch_id": 7, "amount_fen": 60_000, "through_on": datetime(2026, 7, 31, tzinfo=UTC),
    "approved_at": datetime(2026, 8, 24, 1, tzinfo=UTC),
}  # fmt: skip


def payment(no: int, fen: int, **other: Any) -> dict[str, Any]:
    return {
        "payment_no": no, "reference": f"CQV-7-{no}", "amount_fen": fen, "holder": f"合成{no}公司", "bank": "合成银行",
        "account_no": "0000000000000000017", "clearing_no": "000000000001",
    } | other  # fmt: skip


def written(**other: Any) -> str:
    return payout.pain001(BATCH, [payment(1, 40_000), payment(2, 20_000, **other)], PROFILE).decode()


def test_what_is_written_keeps_to_our_description() -> None:
    assert written(clearing_no="").count("<FinInstnId>") == 3
    payout.check_pain001(written().encode())


def test_what_is_written_is_valid_by_the_schema_of_iso_20022() -> None:
    place = distribution("sepaxml").locate_file("sepaxml/schemas/pain.001.001.09.xsd")
    schema = etree.XMLSchema(etree.parse(str(place)))
    for sound in (written(), written(clearing_no=""), written(holder="长" * 140, account_no="1" * 34)):
        schema.assertValid(etree.fromstring(sound.encode()))
    for before, after in (("<PmtMtd>TRF", "<PmtMtd>ALL"), ('Ccy="CNY"', 'Ccy="元"'), ("<NbOfTxs>2", "<NbOfTxs>two")):
        assert not schema.validate(etree.fromstring(written().replace(before, after, 1).encode())), before


@pytest.mark.parametrize(
    "other",
    [
        {"holder": "长" * 141}, {"holder": " "}, {"account_no": "1" * 35}, {"account_no": "1 2"},
        {"clearing_no": "12a"}, {"clearing_no": "", "bank": "行" * 141}, {"amount_fen": 0}, {"amount_fen": -1},
        {"amount_fen": 19_999}, {"reference": "CQV-7-1"}, {"reference": "C" * 36},
    ],
)  # fmt: skip
def test_a_payment_that_no_bank_would_take_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="bad_pain001"):
        written(**other)


def test_no_element_can_be_missing_or_stand_twice_or_elsewhere() -> None:
    places = len(list(etree.fromstring(written().encode()).iter()))
    for place in range(1, places):
        for change in (_drop, _double, _move_up):
            root = etree.fromstring(written().encode())
            element = list(root.iter())[place]
            if change(element):
                with pytest.raises(Refused, match="bad_pain001"):
                    payout.check_pain001(etree.tostring(root))


def _drop(element: Any) -> bool:
    element.getparent().remove(element)
    return True


def _double(element: Any) -> bool:
    element.addnext(deepcopy(element))
    return True


def _move_up(element: Any) -> bool:
    """Change places with the element before; two transfers may."""
    before = element.getprevious()
    if before is None or before.tag == element.tag:
        return False
    before.addprevious(element)
    return True


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("CNY<", "USD<"), ('Ccy="CNY"', 'Ccy="USD"'), (">TRF<", ">CHK<"), (">2<", ">3<"), ("600.00", "600.01"),
        ("400.00", "400.0"), ("2026-08-24</Dt>", "2026-02-30</Dt>"), ("CNAPS", "XXXXX"),
        ("pain.001.001.09", "pain.001.001.03"),
    ],
)  # fmt: skip
def test_every_value_counts(before: str, after: str) -> None:
    assert before in written()
    with pytest.raises(Refused, match="bad_pain001"):
        payout.check_pain001(written().replace(before, after, 1).encode())
