"""The second wall: as cvl_provider, the database itself gives out one provider's rows and no others."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, InvalidRequestError

from tests.cases.steps import PARTIES, number
from tests.postgres.portal.conftest import Portal
from voucher.database import driver, run, transaction

P, Q = PARTIES["P"].uscc, PARTIES["Q"].uscc
READABLE = """
SELECT c.relname, c.relrowsecurity FROM pg_class AS c
WHERE c.relnamespace = 'cvl'::regnamespace AND c.relkind IN ('r', 'v')
    AND has_any_column_privilege('cvl_provider', c.oid, 'SELECT') ORDER BY 1
"""
PUBLIC = {"invoice_money", "policy", "programme", "seal"}
"""What is readable without a rule of its own: public documents, digests, and a view that reads as whoever asks."""


def numbers(db: Connection) -> set[str]:
    return {row[0] for row in db.execute(text("SELECT number FROM invoice"))}


def test_each_provider_sees_its_own_rows_and_nobody_elses(portal: Portal) -> None:
    with transaction(portal.engine, "cvl_provider", P) as db:
        assert numbers(db) == {number("a"), number("b")}
        own = db.execute(text("SELECT count(*) FROM upload_row")).scalar_one()
        parties = {row[0] for row in db.execute(text("SELECT uscc FROM party"))}
    assert own == 1
    assert parties == {P, PARTIES["C"].uscc, PARTIES["D"].uscc}
    with transaction(portal.engine, "cvl_provider", Q) as db:
        assert numbers(db) == {number("q")}
        for table in ("upload_row", "upload_problem"):
            assert db.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
        assert db.execute(text("SELECT count(*) FROM invoice_money")).scalar_one() == 1
        assert db.execute(text("SELECT count(*) FROM party_name_at(9999)")).scalar_one() == 2


def test_every_table_that_a_provider_may_read_has_its_rule(portal: Portal) -> None:
    with transaction(portal.engine, "cvl_owner") as db:
        found = {row.relname: row.relrowsecurity for row in db.execute(text(READABLE.replace("::", "\\:\\:")))}
    assert {name for name, ruled in found.items() if not ruled} == PUBLIC
    assert len(found) > 20


@pytest.mark.parametrize("given", ["", "-", "91500000NOBODY0000", "' OR 1=1 --"])
def test_without_a_provider_there_is_nothing(portal: Portal, given: str) -> None:
    with transaction(portal.engine, "cvl_owner") as db:
        found = [row.relname for row in db.execute(text(READABLE.replace("::", "\\:\\:"))) if row.relrowsecurity]
    with transaction(portal.engine, "cvl_provider", given) as db:
        for table in found:
            assert db.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0, table


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM act", "SELECT * FROM app_user", "SELECT * FROM login", "SELECT * FROM bank_account",
        "SELECT * FROM account", "SELECT * FROM transfer", "SELECT * FROM proposal", "SELECT * FROM subsidy",
        "INSERT INTO held_row DEFAULT VALUES", "DELETE FROM invoice", "UPDATE invoice SET number = ''",
        "SET LOCAL row_security = off; SELECT * FROM invoice",
    ],
)  # fmt: skip
def test_nothing_else_is_read_and_nothing_is_written(portal: Portal, statement: str) -> None:
    *before, last = statement.split(";")
    with transaction(portal.engine, "cvl_provider", P) as db:
        for each in before:
            db.execute(text(each))
        with pytest.raises(DBAPIError, match=r"permission denied|row-level security"):
            db.execute(text(last))


def test_copy_goes_through_the_wall_too(portal: Portal) -> None:
    with transaction(portal.engine, "cvl_provider", P) as db, driver(db).cursor() as cursor:
        for what in ("invoice (number)", "(SELECT number FROM invoice)"):
            with cursor.copy(f"COPY {what} TO STDOUT") as copy:
                assert {row[0] for row in copy.rows()} == {number("a"), number("b")}


def test_nothing_leaks_over_pooled_connections(portal: Portal) -> None:
    """Many threads, few connections, both providers and staff in turn; statements are prepared on the way."""
    expected = {P: {number("a"), number("b")}, Q: {number("q")}, "": {number("a"), number("b"), number("q")}}

    def look(turn: int) -> bool:
        who = (P, Q, "")[turn % 3]
        role: Any = "cvl_provider" if who else "cvl_auditor"
        return run(portal.engine, numbers, role, who) == expected[who]

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(look, range(90)))


def test_a_commit_in_the_middle_ends_what_may_be_read(portal: Portal) -> None:
    with transaction(portal.engine, "cvl_provider", P) as db:
        assert numbers(db)
        db.commit()
        with pytest.raises(InvalidRequestError):
            numbers(db)
    engine: Engine = portal.engine
    with engine.connect() as raw:
        raw.exec_driver_sql(
            "SELECT set_config('role', 'cvl_provider', true), set_config('cvl.provider', %s, true)", (P,)
        )
        raw.commit()
        role, provider = raw.exec_driver_sql("SELECT current_role, current_setting('cvl.provider', true)").one()
    assert role == "cvl_login"
    assert not provider


def test_the_rules_cost_the_other_roles_no_condition(portal: Portal) -> None:
    for role in ("cvl_app", "cvl_auditor"):
        with transaction(portal.engine, role) as db:  # type: ignore[arg-type]
            plan = db.execute(
                text("EXPLAIN SELECT i.number FROM invoice AS i INNER JOIN upload AS u ON TRUE")
            ).scalars()
            assert not any(word in line for line in plan for word in ("Filter", "SubPlan", "own_"))
