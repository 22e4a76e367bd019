"""数电票 as the XML that the tax platform gives out."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from importers.documents import read_document
from importers.einvoice import is_einvoice, read_einvoice
from importers.papers import Paper
from importers.parts import Part
from importers.xml_reading import BadXml, local, parse_xml

NAME = "EINVOICE-XML"
EVIDENCE = "xml"
KINDS = ("xml",)


def matches(_header: Sequence[str]) -> bool:
    """Say no: it is no table."""
    return False


def read(path: Path, _kind: str, *, today: date) -> Iterator[Part]:
    """Yield the rows and problems of one XML. today: the business day."""
    return read_document(__name__, path, today=today)


def parse(data: bytes) -> list[Paper]:
    """Parse one XML; runs in the child process. Raises BadXml."""
    root = parse_xml(data)
    if not is_einvoice(root):
        raise BadXml("unknown_xml", local(root)[:60])
    return [read_einvoice(root)]
