"""The audit bundle: what is exported verifies anew to the fen, and whatever is changed in it is found."""

import io
import os
import random
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from importers import resolve
from reconciliation import bundle, bundle_check, bundle_export, bundle_rows, bundle_verify
from reconciliation.bundle_export import START, Exported
from settlement.load import facts_at, facts_from
from tests.postgres.desk import CHECKER, MAKER, Desk, bill_of, companies, line, providers, real
from tests.postgres.witness import SHIPPED, record_document
from tests.samples import export
from tests.samples.xml import xml
from voucher import acts, approval, seal
from voucher.database import run, transaction
from voucher.errors import Misused, Refused

SEED = int(os.environ.get("CVL_TEST_SEED", "20260815"))
Members = list[tuple[str, bytes]]


def write(engine: Engine, path: Path, start: bundle.Point = START, until: int | None = None) -> Exported:
    with path.open("w+b") as file:
        return run(
            engine, lambda db: bundle_export.export(db, file, start, acts.cutoff(db) if until is None else until),
            "cvl_auditor",
        )  # fmt: skip


@pytest.fixture(scope="module")
def good(books: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a bundle of the whole small ledger."""
    path = tmp_path_factory.mktemp("bundle") / "good.zip"
    write(books, path)
    return path


def members(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def rebuilt(path: Path, content: Members) -> Path:
    """Wrap members anew as the exporter would, sums and mark made to fit: what a forger with our code could do."""
    with path.open("w+b") as file:
        archive = bundle.Archive(file)
        for name, data in content:
            if name not in (bundle.SUMS, bundle.SM3_SUMS):
                archive.add(name, data)
        archive.close()
    return path


def faults(*paths: Path, expect: str | None = None) -> list[str]:
    return [fault.place for fault in bundle_verify.verify(paths, expect).faults]


def test_a_bundle_verifies_and_every_figure_is_derived_anew(good: Path, books: Engine) -> None:
    verdict = bundle_verify.verify([good])
    assert verdict.faults == []
    with transaction(books, "cvl_auditor") as db:
        count = {name: db.execute(text(statement)).scalar_one() for name, statement in {
            "acts": "SELECT count(*) FROM seal", "runs": "SELECT count(*) FROM run",
            "lines": "SELECT count(*) FROM run_line",
            "accounts": "SELECT count(*) FROM account AS a WHERE EXISTS (SELECT FROM transfer AS t"
            " WHERE a.account_id IN (t.debit_account_id, t.credit_account_id))",
        }.items()}  # fmt: skip
    assert verdict.derived == count
    assert count["lines"] > 100


def test_both_sources_give_the_same_facts(good: Path, books: Engine) -> None:
    """Row for row what queries/facts gives: a new fact of the engine needs its twin in `bundle_facts`."""
    with ExitStack() as stack, transaction(books, "cvl_auditor") as db:
        found = bundle_check.open_all(stack, [good])
        rows = bundle_rows.read(stack, found, bundle_check.check(found)[0])
        [share] = rows.each_share()
        programme = rows.policies[0][1].programme
        for cutoff in range(acts.cutoff(db) + 1):
            assert facts_from(share.rows, programme, cutoff) == facts_at(db, programme, cutoff), cutoff


def test_shares_of_the_companies_come_to_the_same(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_rows, "_SHARE", good.stat().st_size // 4)
    verdict = bundle_verify.verify([good])
    assert verdict.faults == []
    assert verdict.derived == bundle_verify.verify([good]).derived


def test_the_same_cutoff_gives_the_same_bytes(
    good: Path, books: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, last = tmp_path / "1.zip", tmp_path / "2.zip"
    until = int(write(books, first).until.no) - 3
    write(books, first, until=until)
    monkeypatch.setattr(bundle_export, "_MANY", 3)
    monkeypatch.setattr(bundle_export, "_ROWS", 10)
    monkeypatch.setattr(bundle_export, "_BIG", 20)
    write(books, last, until=until)
    assert first.read_bytes() == last.read_bytes()
    write(books, last)
    assert last.read_bytes() == good.read_bytes()


def test_bundles_that_follow_each_other_are_verified_together(good: Path, books: Engine, tmp_path: Path) -> None:
    whole = bundle_verify.verify([good])
    assert whole.until is not None
    paths, start = [], START
    for number, until in enumerate((4, 9, whole.until.no)):
        paths.append(tmp_path / f"{number}.zip")
        start = write(books, paths[-1], start, until).until
    assert bundle_verify.verify(reversed(paths)) == whole  # type: ignore[arg-type]
    alone = bundle_verify.verify([paths[1]])
    assert (alone.faults, alone.derived) == ([], {})
    with pytest.raises(Refused, match="not_adjacent"):
        bundle_verify.verify([paths[0], paths[2]])
    with pytest.raises(Refused, match="not_adjacent"):
        bundle_verify.verify([paths[0], paths[0]])


def test_a_policy_file_that_was_exchanged_is_found_in_a_later_part_too(db_engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "part.zip"
    start = run(db_engine, lambda db: bundle_export.point(db, acts.cutoff(db)), "cvl_auditor")
    run(db_engine, lambda db: record_document(db, {"rate_bp": 2100}, id="t.1", supersedes=SHIPPED))
    write(db_engine, path, start)
    assert faults(path) == []
    name = bundle.policy_name("t.1")
    forged = [(each, data.replace(b"2100", b"2500") if each == name else data) for each, data in members(path)]
    assert faults(rebuilt(path, forged)) == [name]


def test_a_bundle_that_does_not_extend_the_earlier_one_is_found(books: Engine, tmp_path: Path) -> None:
    early, late = tmp_path / "1.zip", tmp_path / "2.zip"
    point = write(books, early, until=6).until
    other = bundle.Point(6, point.sm3, point.sha256)
    with late.open("w+b") as file:
        run(books, lambda db: bundle_export.export(db, file, other, acts.cutoff(db)), "cvl_auditor")
    assert faults(early, late)[0] == bundle.act_name(7)


def test_a_digest_from_a_report_is_found_in_the_chain_or_the_bundle_is_not_that_ledger(
    good: Path, books: Engine, tmp_path: Path
) -> None:
    with transaction(books, "cvl_auditor") as db:
        last, fourth = bundle_export.point(db, acts.cutoff(db)), bundle_export.point(db, 4)
    for digest in (last.sha256, last.sm3, fourth.sha256.upper(), fourth.sm3[:16]):
        assert bundle_verify.verify([good], digest).expected in (4, last.no)
    cut = tmp_path / "cut.zip"
    write(books, cut, until=last.no - 1)
    assert faults(cut) == []
    assert faults(cut, expect=last.sha256) == [bundle.CHAIN]
    with pytest.raises(Misused, match="bad_digest"):
        bundle_verify.verify([good], "xyz")


def changed(data: bytes, dice: random.Random) -> bytes:
    """Change bytes at a random place: flip a bit, drop, add, or swap two different ones."""
    place = dice.randrange(len(data))
    kind = dice.choice(["flip", "drop", "add", "swap"])
    if kind == "flip":
        return data[:place] + bytes([data[place] ^ (1 << dice.randrange(8))]) + data[place + 1 :]
    if kind == "drop":
        return data[:place] + data[place + dice.randint(1, 9) :]
    if kind == "add":
        return data[:place] + dice.randbytes(dice.randint(1, 9)) + data[place:]
    others = [other for other in range(len(data)) if data[other] != data[place]]
    if not others:
        return data + b"x"
    one, two = sorted((place, dice.choice(others)))
    return data[:one] + data[two : two + 1] + data[one + 1 : two] + data[one : one + 1] + data[two + 1 :]


def short(books: Engine, path: Path) -> Path:
    """Write a bundle of few acts, so that a thousand of them are soon read."""
    write(books, path, until=12)
    return path


def test_no_changed_byte_of_the_file_is_missed(books: Engine, tmp_path: Path) -> None:
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    data, path = short(books, tmp_path / "a.zip").read_bytes(), tmp_path / "b.zip"
    for number in range(510):
        path.write_bytes(changed(data, dice))
        found = bundle_verify.verify([path]).faults
        assert found, number
        assert found[0].place


def test_no_change_of_a_member_is_missed_when_everything_around_it_is_made_to_fit(
    books: Engine, tmp_path: Path
) -> None:
    """The forger changes, drops, adds, swaps members and wraps them anew with sums that fit; the chain does not."""
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    content, path = members(short(books, tmp_path / "a.zip")), tmp_path / "b.zip"
    evidence = [n for n, (name, _) in enumerate(content) if name not in (bundle.PAGE, bundle.SUMS, bundle.SM3_SUMS)]
    for number in range(510):
        forged = list(content)
        place = dice.choice(evidence)
        kind = dice.choice(["bytes", "bytes", "drop", "add", "swap", "exchange"])
        name, data = forged[place]
        other = dice.choice([n for n in evidence if n != place and forged[n][1] != data])
        if kind == "bytes":
            forged[place] = name, changed(data, dice)
        elif kind == "drop":
            del forged[place]
        elif kind == "add":
            forged.insert(place, (f"acts/000000/{dice.randrange(100, 10**6):09d}.txt", data))
        elif kind == "swap":
            forged[place], forged[other] = forged[other], forged[place]
        else:
            forged[place], forged[other] = (name, forged[other][1]), (forged[other][0], data)
        assert faults(rebuilt(path, forged)), (number, kind, name)


def test_of_a_bundle_that_was_packed_anew_the_changed_member_is_named(books: Engine, tmp_path: Path) -> None:
    content, path = members(short(books, tmp_path / "a.zip")), tmp_path / "b.zip"
    place = next(n for n, (name, _) in enumerate(content) if name == bundle.act_name(3))
    name, data = content[place]
    for forged, named in (
        ([*content[:place], (name, data + b"x"), *content[place + 1 :]], name),
        ([*content[:place], *content[place + 1 :]], name),
        ([*content, ("acts/000000/000099999.txt", data)], "acts/000000/000099999.txt"),
    ):
        with zipfile.ZipFile(path, "w") as archive:
            for each, written in forged:
                archive.writestr(each, written)
        assert faults(path) == [named]


def forged_chain(content: Members, changes: dict[str, Callable[[bytes], bytes]]) -> Members:
    """Change acts and make the whole chain anew over them, as only its owner could."""
    files = {name: changes.get(name, lambda same: same)(data) for name, data in content}
    last = seal.Digests(seal.GENESIS, seal.GENESIS)
    lines = []
    for sealed in files[bundle.CHAIN].decode().splitlines():
        parts = sealed.split("|")
        digester = seal.Digester()
        digester.update(files[bundle.act_name(int(parts[0]))])
        body = digester.digests()
        header = "|".join([*parts[:8], body.sha256, body.sm3])
        last = seal.chain(last, header)
        lines.append(f"{header}|{last.sha256}|{last.sm3}\n")
    files[bundle.CHAIN] = "".join(lines).encode()
    since, until, policies = bundle.read_manifest(files[bundle.MANIFEST])
    until = bundle.Point(until.no, last.sha256, last.sm3)
    files[bundle.MANIFEST] = bundle.manifest(since, until, policies)
    return [(name, files[name]) for name, _ in content]


def edit(table: str, place: int, value: Callable[[str], str]) -> Callable[[bytes], bytes]:
    """Make a change of one value in the first row of a table that has one."""

    def change(data: bytes) -> bytes:
        lines = data.decode().split("\n")
        row = lines.index(f"@{table}") + 1
        while lines[row].split("|")[place] == "\\N":
            row += 1
        cells = lines[row].split("|")
        cells[place] = value(cells[place])
        lines[row] = "|".join(cells)
        return "\n".join(lines).encode()

    return change


def plus_one(value: str) -> str:
    return str(int(value) + 1)


def column(table: str, name: str) -> int:
    return bundle.TABLES[table].split().index(name)


FORGERIES = [
    ("transfer", "amount_fen", plus_one),
    ("transfer", "credit_account_id", plus_one),
    ("transfer", "line_no", plus_one),
    ("run_line", "granted_fen", plus_one),
    ("run_line", "basis_fen", plus_one),
    ("run_line", "line_no", plus_one),
    ("invoice_line", "net_fen", plus_one),
    ("invoice", "place", lambda _: "9999"),
    ("qualification", "span", lambda _: "empty"),
    ("listing", "span", lambda _: "empty"),
    ("policy", "body", lambda body: body.replace("value = 2000", "value = 2001")),
    ("decision", "decided_by", lambda _: "maker1"),
    ("run", "lines", plus_one),
    ("run", "cutoff_no", lambda _: "8"),
    ("account", "name", lambda name: name + "x"),
    ("run", "programme_id", lambda name: name + "x"),
    ("run", "fiscal_year", plus_one),
    ("run_line", "kind", lambda kind: kind + "x"),
    ("payment", "amount_fen", plus_one),
    ("payment", "payee_id", plus_one),
    ("payment", "account_row_no", plus_one),
    ("payment_batch", "amount_fen", plus_one),
    ("payment_batch", "payments", plus_one),
    ("payment_line", "amount_fen", plus_one),
]


@pytest.mark.parametrize(("table", "name", "value"), FORGERIES, ids=[f"{t}.{n}" for t, n, _ in FORGERIES])
def test_a_chain_made_anew_over_forged_facts_does_not_come_out(
    good: Path, tmp_path: Path, table: str, name: str, value: Callable[[str], str]
) -> None:
    content = members(good)
    mark = f"@{table}\n".encode()
    holders = [member for member, data in content if mark in data and member.startswith("acts/")]
    member = holders[-1]
    forged = forged_chain(content, {member: edit(table, column(table, name), value)})
    assert forged != content
    path = rebuilt(tmp_path / "forged.zip", forged)
    digest = bundle_verify.verify([good]).until
    assert digest is not None
    assert faults(path)
    assert bundle.CHAIN in faults(path, expect=digest.sha256)


def test_an_approval_by_somebody_who_is_no_checker_is_found_in_a_chain_made_anew(good: Path, tmp_path: Path) -> None:
    content = members(good)
    [member] = [name for name, data in content if b"\nchecker1|checker|" in data]
    demoted = forged_chain(content, {member: lambda data: data.replace(b"checker1|checker|", b"checker1|auditor|")})
    assert "复核人员" in bundle_verify.verify([rebuilt(tmp_path / "forged.zip", demoted)]).faults[0].detail


def decide(engine: Engine, number: str, state: str, place: int = -1) -> None:
    """Decide for a document of an invoice that is in a state. place: in the order they came, the newest without."""
    found = run(engine, lambda db: resolve.documents(db, number))
    keep = [row["sha256"] for row in found if row["state"] == state][place]
    act = run(engine, lambda db: resolve.propose(db, MAKER, number, keep, "核对原件"))
    run(engine, lambda db: approval.decide(db, act, "approved", CHECKER))


def test_further_documents_and_decisions_are_the_same_facts_in_both_sources(
    db_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CVL_HOME", str(tmp_path / "home"))
    desk = Desk(db_engine, tmp_path / "home")
    desk.register(companies("C", "D"))
    desk.register(providers("P"))
    desk.take([line("a"), line("b", "5.00"), line("r", "-1.00", red_of="a")])
    bill = bill_of(line("a"))
    bill = replace(bill, rows=(replace(bill.rows[0], code="1090511010000000000"),))
    desk.take(export.csv_bytes(export.table(export.HEADER, export.rows([bill]))), name="export.csv")
    desk.take(xml(replace(bill, rows=(replace(bill.rows[0], code="3040201990000000000"),))), name="a.xml")
    desk.take(xml(replace(bill_of(line("c")), remark="服务期间：2026-06-01至2026-06-30")), name="c.xml")
    desk.take([line("c", paid="3.00", contract="HT-9")], name="c.csv")
    desk.take([line("d", "5.00")], name="d.csv")
    desk.take(xml(replace(bill_of(line("e", "5.00")), remark="账期202606")), name="e.xml")
    other = {"since": "2026-06-01", "until": "2026-06-30", "paid": "1.00"}
    desk.take([line("b", "5.00", **other), line("d", "4.00", **other)], name="b.csv")
    desk.take(xml(replace(bill_of(line("e", "9.00")), remark="账期202605")), name="e2.xml")
    for symbol, state in (("a", "own"), ("b", "conflict"), ("b", "own"), ("b", "evidence"), ("d", "conflict")):
        decide(db_engine, real(symbol), state)
    desk.take(xml(bill_of(line("d", "5.00"))), name="d.xml")
    desk.take([line("b", "5.00", since="2026-05-01", until="2026-05-31")], name="b3.csv")
    for symbol in ("b", "d", "e"):
        decide(db_engine, real(symbol), "conflict")
    decide(db_engine, real("b"), "evidence", 0)
    split = replace(bill.rows[0], net="1.00", tax="0.06")
    desk.take(xml(replace(bill_of(line("b")), rows=(split, replace(split, net="4.00", tax="0.24")))), name="b.xml")
    assert desk.rows("SELECT count(DISTINCT kind) > 2 FROM evidence") == [(True,)]
    path = tmp_path / "a.zip"
    write(db_engine, path)
    with ExitStack() as stack, transaction(db_engine, "cvl_auditor") as db:
        found = bundle_check.open_all(stack, [path])
        rows = bundle_rows.read(stack, found, bundle_check.check(found)[0])
        [share] = rows.each_share()
        programme = rows.policies[0][1].programme
        for cutoff in range(acts.cutoff(db) + 1):
            assert facts_from(share.rows, programme, cutoff) == facts_at(db, programme, cutoff), cutoff


def test_what_cannot_be_a_bundle_is_said_to_be_none(tmp_path: Path, good: Path) -> None:
    path = tmp_path / "x.zip"
    for data in (b"", b"x" * 500, good.read_bytes()[:-1], good.read_bytes() + b"\n", good.read_bytes()[1000:]):
        path.write_bytes(data)
        assert faults(path)
    with pytest.raises(Misused, match="no_file"):
        bundle_verify.verify([tmp_path / "none.zip"])
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a", "b")
    path.write_bytes(content.getvalue())
    assert faults(path)
