"""Compute what each claim is given: the set-based steps, each a query that makes one temporary table.

Nothing is decided here but their order. A draft puts the result into the work tables; a payment asks it what has
changed since; the end of a year asks it what is still open.
"""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection

from settlement.policy import Policy, in_force, parameters
from voucher.acts import canonical
from voucher.database import expect_many, one, run_file
from voucher.days import OPEN_END
from voucher.reasons import SENTENCES

_STEPS = (
    "12_better", "13_touched", "15_cap", "20_stretch", "21_red", "22_code", "23_listed", "24_related", "25_added",
    "26_verified", "27_contracted", "30_bill", "31_unsliced", "32_pair", "33_late", "34_partial", "35_metered",
    "40_limited", "50_part", "51_cut", "53_served", "54_refused", "55_short", "60_room", "61_reasons", "62_singled",
)  # fmt: skip
"""The steps of a draft in order; each SQL file makes the temporary table that it is named after."""
_BIG = "bill"
"""The temporary table that is as large as the draft; of the others PostgreSQL is told how small they are."""


def compute(
    db: Connection,
    policies: Sequence[Policy],
    programme: str,
    cutoff: int,
    through: date,
    *,
    backfill: bool = False,
    companies: Sequence[int] | None = None,
    news_only: bool = False,
) -> None:
    """Compute a run into temporary tables, under the documents given; writes nothing that lasts.

    companies: ids of those to look at, all without. news_only: pass over companies of which nothing was left open and
    nothing recorded since the last approved run; only a draft at the last seal may ask for that.
    """
    expect_many(db)
    run_file(db, "queries/settle/draft/00_tables.sql")
    run_file(
        db,
        "queries/settle/draft/10_asked.sql",
        programme=programme,
        cutoff=cutoff,
        through_on=through,
        backfill=backfill,
        codes=list(SENTENCES),
        companies=None if companies is None else list(companies),
        news_only=news_only,
    )
    rows = [
        parameters(policy)
        | {"id": policy.id, "programme": policy.programme, "categories": sorted(policy.categories)}
        | {"from_on": span.start.isoformat(), "until_on": min(span.end, OPEN_END).isoformat()}
        for policy, span in in_force(policies)
    ]
    run_file(db, "queries/settle/draft/11_documents.sql", policies=canonical(rows))
    db.exec_driver_sql("ANALYZE asked, doc")
    few = False
    for name in _STEPS:
        run_file(db, f"queries/settle/draft/{name}.sql")
        if (table := name[3:]) != _BIG or few:
            db.exec_driver_sql(f"ANALYZE {table}")
        if table == "touched":
            found = one(db, "queries/settle/draft/14_few.sql")
            few = bool(found and found["few"])
    run_file(db, "queries/settle/draft/70_turn.sql")


def put_lines(db: Connection, run_id: int) -> int:
    """Put what was computed into the work tables of drafts, under a run; returns the number of lines."""
    lines = run_file(db, "queries/settle/draft/80_lines.sql", run_id=run_id)
    run_file(db, "queries/settle/draft/81_listed.sql", run_id=run_id)
    return lines
