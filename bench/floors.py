"""The floors: what the database alone needs to store the same rows under the same keys.

Each floor writes into copies of the real tables, with all their constraints, keys, indexes and foreign keys.
"""

from importlib.resources import files
from pathlib import Path

from psycopg import sql

from bench.clock import Cost, measured
from bench.place import Place, Raw
from importers.formats.cq_compute_1 import COLUMNS

_COPIED = {
    "import": ("upload", "invoice", "invoice_number", "invoice_line"),
    "draft": ("draft_line",),
    "approve": ("transfer",),
}
"""Floor to the tables it copies; a foreign key onto a copied table points to the copy."""
_FOREIGN_KEYS = """
SELECT conrelid::regclass::text, pg_get_constraintdef(oid)
FROM pg_constraint
WHERE contype = 'f' AND conrelid = ANY(%s::regclass[])
ORDER BY conrelid::regclass::text, conname
"""


def prepare(place: Place, database: str, work: str) -> None:
    """Create the empty copies of the tables that a work writes; those of an earlier repetition are dropped."""
    with place.root(database) as root:
        root.execute("DROP SCHEMA IF EXISTS floor CASCADE")
        root.execute("CREATE SCHEMA floor")
        root.execute("SET search_path = cvl")
        copied = _COPIED[work]
        for table in copied:
            root.execute(sql.SQL("CREATE TABLE floor.{0} (LIKE {0} INCLUDING ALL)").format(sql.Identifier(table)))
        for table, foreign_key in root.execute(_FOREIGN_KEYS, (list(copied),)).fetchall():
            if table == "upload":
                continue
            for other in copied:
                foreign_key = foreign_key.replace(f"REFERENCES {other}(", f"REFERENCES floor.{other}(")
            root.execute(f"ALTER TABLE floor.{table} ADD {foreign_key}".encode())
        if work == "import":
            names = ", ".join(f'"{column.name}" text' for column in COLUMNS)
            root.execute(
                f"CREATE TABLE floor.file (row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {names})".encode()
            )
            _script(root, "floor_upload")


def _script(root: Raw, name: str) -> None:
    """Run the statements of a file."""
    root.execute(files("bench").joinpath(f"{name}.sql").read_bytes())


def _open(root: Raw) -> None:
    """Set the session as the program sets its own for many rows."""
    root.execute("SET search_path = floor, cvl")
    root.execute("SET work_mem = '192MB'")
    root.execute("SET enable_nestloop = off")


def run_import(place: Place, database: str, source: Path) -> Cost:
    """Copy the file as text and insert its invoices from there; return what it took."""
    prepare(place, database, "import")
    names = ", ".join(f'"{column.name}"' for column in COLUMNS)
    with place.root(database) as root:
        _open(root)
        with (
            measured(place.home) as cost,
            root.transaction(),
            source.open("rb") as stream,
            root.cursor() as cursor,
        ):
            with cursor.copy(f"COPY file ({names}) FROM STDIN (FORMAT csv, HEADER true)".encode()) as copy:
                while chunk := stream.read(1 << 20):
                    copy.write(chunk)
            _script(root, "floor_import")
    return cost


def keep(place: Place, database: str, work: str) -> int:
    """Keep the rows that a work has written, without keys, as the source of its floor; return their number."""
    prepare(place, database, work)
    table = _COPIED[work][0]
    with place.root(database) as root:
        root.execute(f"CREATE TABLE floor.source AS SELECT * FROM cvl.{table}".encode())
        found = root.execute("SELECT count(*) FROM floor.source").fetchone()
        assert found is not None
        return int(found[0])


def run_insert(place: Place, database: str, work: str) -> Cost:
    """Insert the kept rows into the copy of their table; return what it took."""
    table = _COPIED[work][0]
    with place.root(database) as root:
        _open(root)
        root.execute(f"TRUNCATE floor.{table}".encode())
        with measured(place.home) as cost, root.transaction():
            _script(root, f"floor_{work}")
    return cost
