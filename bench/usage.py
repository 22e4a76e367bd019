"""Usage lines: a FOCUS file of any size, and the floor of copying the same file into a table of text."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from bench.clock import Cost, measured
from bench.data import companies
from bench.place import Place
from bench.works import MAKER
from importers.accept import ask, import_file

HEADER = (
    "BilledCost,BillingAccountId,BillingAccountName,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargeCategory,"
    "ChargeClass,ChargeDescription,ChargePeriodStart,ChargePeriodEnd,ContractedCost,EffectiveCost,InvoiceId,"
    "InvoiceIssuerName,ListCost,PricingQuantity,PricingUnit,ProviderName,PublisherName,ServiceCategory,ServiceName"
)
INVOICES = 1_000
LINES_PER_ROW = 10
"""Usage lines for each row of the other works: ten million beside a million."""
_BLOCK = 10_000


def write(path: Path, lines: int, invoices: int = INVOICES, seed: int = 20260701) -> None:
    """Write so many lines of January 2026, hour by hour, over the invoices that begin the template file."""
    rng = random.Random(seed)
    codes = companies(invoices)
    start = datetime(2025, 12, 31, 16, tzinfo=UTC)
    hours = [f"{start + timedelta(hours=n):%Y-%m-%dT%H:%M:%SZ}" for n in range(31 * 24 + 1)]
    period = f"{hours[0]},{hours[-1]}"
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER + "\n")
        for block in range(0, lines, _BLOCK):
            rows = []
            for n in range(block, min(lines, block + _BLOCK)):
                hour, invoice = rng.randrange(31 * 24), n % invoices
                number = 265000 * 10**14 + invoice * 60 + 1
                cost = f"{rng.randrange(100)}.{rng.randrange(10**8):08d}"
                rows.append(
                    f"{cost},{codes[invoice]},合成企业,CNY,{period},Usage,,训练,{hours[hour]},{hours[hour + 1]},"
                    f"{cost},{cost},{number},合成算力,{cost},8,GPU-Hours,合成算力,合成算力,Compute,智算\n"
                )
            file.write("".join(rows))


def run(engine: Engine, source: Path, lines: int) -> None:
    """Import a file of usage."""
    outcome = import_file(engine, source, MAKER, ask(MAKER, None, None, None))
    assert sum(outcome.counts.values()) == lines, (outcome.counts, outcome.problems[:3])
    assert not outcome.counts["rejected"], outcome.problems[:3]


def floor(place: Place, database: str, source: Path) -> Cost:
    """Copy the file into a table of text."""
    names = ", ".join(f'"{name}" text' for name in HEADER.split(","))
    with place.root(database) as root:
        root.execute("DROP SCHEMA IF EXISTS floor CASCADE")
        root.execute("CREATE SCHEMA floor")
        root.execute(f"CREATE TABLE floor.usage ({names})".encode())
        with (
            measured(place.home) as cost,
            root.transaction(),
            source.open("rb") as stream,
            root.cursor() as cursor,
            cursor.copy("COPY floor.usage FROM STDIN (FORMAT csv, HEADER true)") as copy,
        ):
            while chunk := stream.read(1 << 20):
                copy.write(chunk)
        root.execute("DROP SCHEMA floor CASCADE")
    return cost
