"""The limits of an upload, in one place."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may cost. Sizes in bytes; ratio: inflated to packed, looked at from `ratio_from` inflated bytes on.

    cell_chars: the csv module's own bound on a field. record_chars: of one row of a csv. sheet_cells: the bounding box
    of a workbook's sheet, which calamine allocates whole. repeated_text: longest shared string times cells, which
    calamine copies per cell.
    """

    file_bytes: int = 4096 * MIB
    zip_entries: int = 2_000
    inflated_bytes: int = 2048 * MIB
    ratio: int = 200
    ratio_from: int = 16 * MIB
    cell_chars: int = 131_072
    record_chars: int = 4 * MIB
    columns: int = 256
    rows: int = 12_000_000
    sheets: int = 64
    sheet_cells: int = 15_000_000
    repeated_text: int = 4096 * MIB


LIMITS = Limits()
OFD_LIMITS = Limits(file_bytes=10 * MIB, zip_entries=500, inflated_bytes=50 * MIB, ratio_from=MIB)
PAPER_LIMITS = Limits(file_bytes=20 * MIB)
"""One XML or PDF."""
BUNDLE_LIMITS = Limits(zip_entries=20_000)
"""A zip of many files: its members are looked at one by one, each with its own outcome."""
BUNDLE_DEPTH = 2
"""A zip, and zips within it."""


@dataclass(frozen=True, slots=True)
class ParserLimits:
    """What the child process that parses a document may take. jobs: after so many it is replaced.

    xml_bytes: of one tree, which takes some thirty times as much. inflated_bytes: of one stream of a PDF.
    """

    address_space: int = 512 * MIB
    cpu_seconds: int = 20
    wall_seconds: int = 30
    answer_bytes: int = 64 * MIB
    jobs: int = 10_000
    pdf_pages: int = 50
    pixels: int = 12_000_000
    xml_bytes: int = 4 * MIB
    inflated_bytes: int = 32 * MIB


PARSER_LIMITS = ParserLimits()
PARQUET_LIMITS = ParserLimits(
    address_space=2048 * MIB, cpu_seconds=1_800, wall_seconds=3_600, inflated_bytes=LIMITS.file_bytes
)
"""A parquet file becomes a csv: inflated_bytes of it at most."""
WORKBOOK_LIMITS = ParserLimits(
    address_space=LIMITS.repeated_text + 2048 * MIB, cpu_seconds=900, wall_seconds=300, jobs=200
)
"""A workbook takes what the guard lets it become once opened. wall_seconds: until a sheet is open, or its next rows."""
