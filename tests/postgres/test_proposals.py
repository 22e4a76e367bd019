"""What needs a second person, and who may do what: also where the program is wrong."""

from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from tests.postgres.desk import CHECKER, MAKER
from tests.postgres.test_acts import catalog
from voucher import access, acts, approval, ledger
from voucher.access import COMMANDS, ROLES, User
from voucher.database import run, transaction
from voucher.errors import Misused, Refused

OTHER = User("checker2", "checker", None)


def proposed(engine: Engine, reference: str = "渝财〔2026〕1号") -> int:
    return run(engine, lambda db: ledger.propose_appropriation(db, MAKER, 2026, 100, reference))


def decide(engine: Engine, proposal: int, verdict: str, user: User, **other: Any) -> dict[str, Any]:
    return run(engine, lambda db: approval.decide(db, proposal, verdict, user, **other))


def test_an_approval_is_an_act_of_its_own_that_owns_its_effect(db_engine: Engine) -> None:
    proposal = proposed(db_engine)
    assert decide(db_engine, proposal, "approved", CHECKER)["state"] == "approved"
    owner = (
        "SELECT a.kind, a.actor, d.proposal_act_id FROM transfer AS t INNER JOIN act AS a ON a.act_id = t.act_id"
        " INNER JOIN decision AS d ON d.act_id = t.act_id"
    )
    assert catalog(db_engine, owner) == {("decision", "checker1", proposal)}


def test_a_decision_is_final_and_the_same_one_again_is_the_first(db_engine: Engine) -> None:
    proposal = proposed(db_engine)
    first = decide(db_engine, proposal, "approved", CHECKER)
    count = catalog(db_engine, "SELECT count(*) FROM act")
    assert decide(db_engine, proposal, "approved", CHECKER)["state"] == first["state"]
    for verdict, user in (("approved", OTHER), ("rejected", CHECKER), ("withdrawn", MAKER)):
        with pytest.raises(Refused, match="decided"):
            decide(db_engine, proposal, verdict, user, why="改主意")
    assert catalog(db_engine, "SELECT count(*) FROM act") == count


def test_a_rejection_needs_a_why_and_leaves_it_on_record(db_engine: Engine) -> None:
    proposal = proposed(db_engine)
    for why in ("", "  "):
        with pytest.raises(Refused, match="why"):
            decide(db_engine, proposal, "rejected", CHECKER, why=why)
    decide(db_engine, proposal, "rejected", CHECKER, why="文号不符")
    assert catalog(db_engine, "SELECT verdict, why FROM decision") == {("rejected", "文号不符")}
    assert catalog(db_engine, "SELECT * FROM transfer") == set()


def test_only_the_maker_withdraws(db_engine: Engine) -> None:
    proposal = proposed(db_engine)
    with pytest.raises(Refused, match="second_person"):
        decide(db_engine, proposal, "withdrawn", User("maker2", "maker", None))
    assert decide(db_engine, proposal, "withdrawn", MAKER)["state"] == "withdrawn"


def test_what_waits_is_listed_until_it_is_decided(db_engine: Engine) -> None:
    first, second = proposed(db_engine, "一"), proposed(db_engine, "二")
    decide(db_engine, first, "approved", CHECKER)
    with transaction(db_engine) as db:
        assert [each.act_id for each in approval.pending(db)] == [second]
        assert approval.find(db, first).state == "approved"
        with pytest.raises(Refused, match="no_proposal"):
            approval.find(db, 10**9)


def test_an_approval_is_bound_to_what_was_seen(db_engine: Engine) -> None:
    proposal = proposed(db_engine)
    with transaction(db_engine) as db:
        digest = approval.find(db, proposal).digest
    wrong = "0" * 8 if digest[:8] != "0" * 8 else "1" * 8
    for seen in (wrong, digest[:7], ""):
        with pytest.raises(Refused, match="digest_differs"):
            decide(db_engine, proposal, "approved", CHECKER, digest=seen)
    assert decide(db_engine, proposal, "approved", CHECKER, digest=digest[:8].upper())["state"] == "approved"


def raw(db: Connection, proposal: int, verdict: str, decider: str, actor: str = "") -> None:
    """Decide by SQL alone, as a program gone wrong might."""
    with acts.act(db, "decision", str(proposal), actor or decider, verdict) as act:
        db.execute(
            text(
                "INSERT INTO decision (proposal_act_id, verdict, why, decided_by, act_id)"
                " VALUES (:proposal, :verdict, 'w', :decider, :act)"
            ),
            {"proposal": proposal, "verdict": verdict, "decider": decider, "act": act.act_id},
        )


@pytest.mark.parametrize(
    ("verdict", "decider", "actor"),
    [
        ("approved", "maker1", ""),
        ("approved", "maker2", ""),
        ("approved", "admin1", ""),
        ("approved", "auditor1", ""),
        ("approved", "system", ""),
        ("rejected", "maker2", ""),
        ("withdrawn", "maker2", ""),
        ("withdrawn", "checker1", ""),
        ("approved", "checker1", "maker1"),
    ],
)
def test_the_database_itself_wants_a_second_person(db_engine: Engine, verdict: str, decider: str, actor: str) -> None:
    proposal = proposed(db_engine)
    with pytest.raises(Refused, match="second_person"), transaction(db_engine) as db:
        raw(db, proposal, verdict, decider, actor)
    with transaction(db_engine) as db:
        raw(db, proposal, "approved", "checker1")


def test_who_drafted_does_not_approve_either(db_engine: Engine) -> None:
    """A proposal that a checker drafted and somebody else handed in."""
    with transaction(db_engine) as db, acts.act(db, "appropriation", "x", "maker1", "x") as act:
        approval.propose(db, act, "appropriation", "x", {"year": 2026, "amount_fen": 1}, MAKER, "checker1")
    with pytest.raises(Refused, match="second_person"):
        decide(db_engine, act.act_id, "approved", CHECKER)
    assert decide(db_engine, act.act_id, "approved", OTHER)["state"] == "approved"


# roles


def test_each_command_is_open_to_its_roles_and_to_no_other(db_engine: Engine) -> None:
    with transaction(db_engine) as db:
        access.add(db, "admin1", "provider1", "provider", "9" * 18)
        names = {role: f"{role}1" for role in ROLES}
        for command, open_to in COMMANDS.items():
            for role, name in names.items():
                if role in open_to:
                    assert access.require(db, name, command).name == name
                else:
                    with pytest.raises(Refused, match="not_allowed"):
                        access.require(db, name, command)
    assert COMMANDS["approve"] == COMMANDS["reject"] == {"checker"}
    assert not any("system" in open_to for open_to in COMMANDS.values())
    assert {command for command, open_to in COMMANDS.items() if "auditor" in open_to} == {"audit export", "flag decide"}


def test_an_acting_command_is_somebodys(db_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CVL_USER", raising=False)
    with transaction(db_engine) as db:
        with pytest.raises(Misused, match="who"):
            access.require(db, None, "import")
        for name in ("nobody", "system"):
            with pytest.raises(Refused, match="unknown_user"):
                access.require(db, name, "import")
        monkeypatch.setenv("CVL_USER", "maker1")
        assert access.require(db, None, "import").name == "maker1"


@pytest.mark.parametrize(
    ("name", "role", "code"),
    [
        *((name, "maker", None) for name in ("@x", "a|b", "a\nb", "", "x" * 65)),
        ("x", "system", None),
        ("x", "boss", None),
        ("x", "provider", None),
        ("x", "maker", "9" * 18),
    ],
)
def test_a_user_that_cannot_be_is_misuse(db_engine: Engine, name: str, role: str, code: str | None) -> None:
    with transaction(db_engine) as db, pytest.raises(Misused):
        access.add(db, "admin1", name, role, code)


def test_a_name_keeps_its_role(db_engine: Engine) -> None:
    with transaction(db_engine) as db:
        assert access.add(db, "admin1", "maker1", "maker").role == "maker"
    with pytest.raises(Refused, match="reference_conflict"), transaction(db_engine) as db:
        access.add(db, "admin1", "maker1", "checker")
    with pytest.raises(Refused, match="not_allowed"), transaction(db_engine) as db:
        access.add(db, "maker1", "new", "maker")
