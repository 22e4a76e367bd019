"""The unified social credit code: the 18th character is an error, the organisation digit a warning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc as oracle

from voucher import uscc

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@pytest.mark.parametrize("code", ["91110000600037341L", " 91110000600037341l\n", "91500000MA5U000111"])
def test_a_sound_code_is_ok_in_any_case_and_with_blanks(code: str) -> None:
    assert uscc.check(code) == "ok"


@pytest.mark.parametrize(
    "code",
    ["", "9", "91110000600037341M", "A1110000600037341L", "91110000600037341", "91110000600037341LL",
     "9111000060003734IL", "911100006000373４1L", "9 1110000600037341L", "91110000-60003734-1L"],
)  # fmt: skip
def test_a_wrong_check_character_length_or_letter_is_bad(code: str) -> None:
    assert uscc.check(code) == "bad"


def test_a_wrong_organisation_digit_alone_is_only_a_warning() -> None:
    assert uscc.check("91500000MA5U00035F") == "organisation_digit"


def test_an_organisation_digit_may_be_an_x() -> None:
    assert uscc.organisation_digit("MA5U0002") == "X"
    assert uscc.check("91500000MA5U0002XQ") == "ok"


def test_a_farmers_cooperative_begins_with_a_letter() -> None:
    body = "N2500000MA5U00011"
    assert uscc.check(body + oracle.calc_check_digit(body)) == "ok"


@given(st.text(ALPHABET, min_size=9, max_size=9), st.text("0123456789", min_size=6, max_size=6))
def test_every_code_with_both_digits_right_is_ok_and_no_other_last_character(tail: str, region: str) -> None:
    body = "91" + region + tail[:8] + uscc.organisation_digit(tail[:8])
    right = oracle.calc_check_digit(body)
    assert [last for last in ALPHABET if uscc.check(body + last) == "ok"] == [right]
