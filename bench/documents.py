"""What is not a csv: a zip of many 数电票 XML and a workbook, and the floors of reading them."""

import csv
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import xlsxwriter
from lxml import etree
from python_calamine import CalamineWorkbook
from sqlalchemy import Engine

from bench import data
from bench.clock import Cost
from bench.works import MAKER
from importers.accept import ask
from importers.bundles import Way, import_members
from importers.outcome import Outcome
from tests.samples.bill import Bill, Row
from tests.samples.xml import xml

DOCUMENTS, CELLS = 10_000, 100_000
"""Documents of the zip and rows of the workbook at most."""


def write_zip(path: Path, count: int, companies: int) -> None:
    """Write a zip of so many signed invoices of one or two lines."""
    codes, sellers = data.companies(companies), data.providers()
    row = Row(net="94339.62", tax="5660.38")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for n in range(count):
            bill = Bill(
                number=f"266000{n:014d}", rows=(row,) * (1 + n % 2), issued="2026-06-30",
                seller=(sellers[n % 3], f"合成算力{n % 3 + 1}有限公司"),
                buyer=(codes[n % companies], f"合成企业{n % companies + 1}有限公司"),
                remark="服务期间：2026-06-01至2026-06-30", signature="U1lO" * 300,
            )  # fmt: skip
            packed.writestr(f"{n:05d}.xml", xml(bill))


def write_workbook(path: Path, source: Path) -> None:
    """Write a template csv as a workbook, amounts and quantities as numbers."""
    with (
        source.open(newline="", encoding="utf-8") as file,
        xlsxwriter.Workbook(path) as book,
    ):
        sheet = book.add_worksheet()
        for place, cells in enumerate(csv.reader(file)):
            for column, cell in enumerate(cells):
                if place and column in (15, 16, 18, 19):
                    sheet.write_number(place, column, float(cell))
                elif cell:
                    sheet.write_string(place, column, cell)


def parse_bare(path: Path) -> Cost:
    """Parse every XML of a zip and do nothing with it; what it takes without unpacking."""
    with zipfile.ZipFile(path) as packed:
        contents = [packed.read(name) for name in packed.namelist()]
    return _cost(lambda: [etree.fromstring(each) for each in contents])


def read_cells(path: Path) -> Cost:
    """Read every cell of a workbook and do nothing with it."""
    return _cost(lambda: list(CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).iter_rows()))


def _cost(work: Callable[[], object]) -> Cost:
    began, used = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - began, time.process_time() - used)


def run_zip(engine: Engine, path: Path, count: int) -> None:
    """Import a zip of sound documents."""
    endings = [ending for _, ending in import_members(Way(engine, MAKER, ask(MAKER, None, None, None)), path)]
    taken = [each for each in endings if isinstance(each, Outcome) and each.counts["accepted"] == each.rows]
    assert len(taken) == count, endings[:3]
