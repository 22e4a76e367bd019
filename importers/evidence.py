"""One number, one invoice: what its further documents are, which wait, which are kept beside it."""

from collections.abc import Sequence

from sqlalchemy import Connection

from importers.stage import Staged
from voucher.database import run_file

DOUBTFUL = frozenset({"eiid_differs", "export_totals_differ"})
"""Codes of documents that a person must look at before anything is accepted."""


def fill_spans(db: Connection) -> None:
    """Give staged invoices the service span that a waiting document of another kind has."""
    run_file(db, "queries/import/12_spans.sql")


def hold(db: Connection, staged: Staged) -> None:
    """Hold what is not ready, before numbers are claimed: no tax codes, a bare QR code, or doubtful."""
    doubtful = sorted({p.invoice_number for p in staged.problems if p.code in DOUBTFUL})
    run_file(db, "queries/import/30_unready.sql", doubtful=doubtful)
    run_file(db, "queries/import/30_waiting_differs.sql")


def judge(db: Connection) -> None:
    """Tell duplicates from conflicts among the numbers that are accepted already."""
    run_file(db, "queries/import/36_evidence.sql")
    run_file(db, "queries/import/41_evidence.sql")


def write(db: Connection, act_id: int, sha256: str, asides: Sequence[tuple[str, str]]) -> None:
    """Write the further documents of accepted invoices, and what the document says beside its rows."""
    run_file(db, "queries/import/72_further.sql")
    if run_file(db, "queries/import/73_evidence.sql", act_id=act_id, sha256=sha256):
        run_file(db, "queries/import/74_evidence_lines.sql", act_id=act_id)
    if asides:
        names, texts = [name for name, _ in asides], [text for _, text in asides]
        run_file(db, "queries/import/75_notes.sql", upload_id=act_id, names=names, texts=texts)
