"""Every code that is raised anywhere is in the catalogue, and every sentence says what to do."""

import ast
import re
from pathlib import Path

import pytest

from importers.catalogue import CATALOGUE
from importers.messages import KEPT, SHOWN, make

ROOT = Path(__file__).resolve().parents[2]
PROMISED = [
    "not_a_spreadsheet",
    "empty_file",
    "missing_columns",
    "duplicate_columns",
    "unknown_template_version",
    "no_rows",
    "number_lost",
    "bad_invoice_number",
    "required",
    "bad_choice",
    "bad_day",
    "bad_amount",
    "amount_too_large",
    "bad_uscc",
    "uscc_organisation_digit",
    "bad_tax_code",
    "bad_rate",
    "bad_number",
    "span_reversed",
    "span_too_long",
    "issued_in_future",
    "sum_differs",
    "tax_rate_differs",
    "red_needs_original",
    "red_not_negative",
    "blue_negative",
    "paid_sign",
    "bad_character",
    "too_few_cells",
    "too_many_cells",
    "header_fields_differ",
    "identical_rows",
    "sibling_row_failed",
    "not_the_uploader",
    "unknown_company",
    "not_listed",
    "name_differs",
    "past_claim_deadline",
    "red_exceeds_blue",
    "original_missing",
    "service_span_missing",
    "duplicate_invoice",
    "conflict_invoice",
    "undecodable_text",
    "file_too_large",
    "zip_bomb",
    "zip_path",
    "zip_encrypted",
    "doctype_refused",
    "old_excel",
    "unterminated_quote",
    "same_party",
]


@pytest.mark.parametrize("code", PROMISED)
def test_the_codes_of_the_design_are_there(code: str) -> None:
    assert code in CATALOGUE


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_a_sentence_is_one_sentence_and_says_what_to_do(code: str) -> None:
    entry = CATALOGUE[code]
    names = re.findall(r"{(\w+)}", entry.wrong + entry.advice)
    problem = make(
        code, row=3, column="列", value="值", **{n: "项" for n in names if n not in ("row", "column", "value")}
    )
    assert problem.message.count("。") == 1
    assert problem.message.endswith("。")
    assert "{" not in problem.message
    assert re.search(r"请|无需|会自动|不处理", problem.message), problem.message
    assert problem.severity == entry.severity


def test_every_code_that_is_made_is_in_the_catalogue() -> None:
    made = {
        node.args[0].value
        for folder in ("importers", "importers/formats")
        for path in (ROOT / folder).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "make"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert made <= set(CATALOGUE)
    assert len(made) > 10


def test_an_unknown_code_is_a_programming_error() -> None:
    with pytest.raises(KeyError):
        make("no_such_code")


def test_a_long_value_is_shortened_and_a_brace_in_it_is_only_a_brace() -> None:
    problem = make("bad_day", row=1, column="开票日期", value="{row}" + "长" * 500)
    assert problem.value == "{row}" + "长" * (KEPT - 5)
    assert "{row}" + "长" * (SHOWN - 5) + "…，" in problem.message
    assert "\n" not in make("bad_day", value="a\nb").message


def test_missing_column_names_come_whole() -> None:
    names = "、".join(f"第{n}列名称" for n in range(40))
    assert names in make("missing_columns", value=names).message
