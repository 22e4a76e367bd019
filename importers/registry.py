"""Registry files: companies, providers, relations, subsidies, payments, contracts, verifications; told by the header.

A file stands or falls whole. The newest row of a key wins; absence never deletes; 止 before 起 voids a row.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from importers import cells, guard
from importers.cells import Cell
from importers.columns import HEADER_WITHIN, ColumnReader, Header, match_header
from importers.messages import make
from importers.originals import keep
from importers.outcome import UNREAD
from importers.receive import Received, receive
from importers.register_kinds import KINDS, Kind
from importers.sheets import rows as sheet_rows
from importers.text import clean_id
from voucher import acts, approval, database
from voucher.access import User
from voucher.acts import canonical
from voucher.database import one, query, run_file
from voucher.days import OPEN_END, business_day
from voucher.errors import Broken, Refused
from voucher.money import format_yuan
from voucher.problem import Problem

_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,2})?)\s*[%％]?\Z", re.ASCII)
_ACCOUNT = ("开户名", "开户银行", "银行账号", "联行号")


@dataclass(frozen=True, slots=True)
class Taken:
    """How a registry file ended. kind: None when it is none. proposal: of changed bank accounts, if any."""

    kind: Kind | None
    sha256: str
    rows: int
    problems: Sequence[Problem]
    act_no: int | None = None
    proposal: int | None = None
    fresh: bool = True

    @property
    def exit_status(self) -> int:
        """0 done, 1 refused, 3 when changed accounts wait for a second person or a sheet was not read."""
        if _wrong(self.problems):
            return 1
        unread = any(problem.code in UNREAD for problem in self.problems)
        return 3 if unread or self.proposal is not None else 0


Values = dict[str, Any]


def _wrong(problems: Sequence[Problem]) -> bool:
    """Tell whether a file cannot be taken as it is."""
    return any(problem.severity != "warning" for problem in problems)


def import_registry(engine: Engine, source: Path, user: User) -> Taken:
    """Import one registry file. What is wrong with the file is in the outcome; raises Busy or Refused else."""
    problems: Sequence[Problem] = guard.check_size(source)
    if problems:
        return Taken(None, "", 0, problems)
    with receive(source) as received:
        return _import_received(engine, received, user)


def _import_received(engine: Engine, received: Received, user: User) -> Taken:
    """Import a file that nobody else can change any more."""
    problems: Sequence[Problem] = guard.check_file(received.path)
    file_kind = guard.kind_by_content(received.path)
    if not problems and file_kind not in ("csv", "xlsx"):
        problems = [make("not_a_spreadsheet")]
    if problems:
        return Taken(None, received.digests.sha256, 0, problems)

    def work(db: Connection) -> Taken:
        words = {row["word"]: row["code"] for row in query(db, "queries/registry/category_words.sql")}
        kind, found, problems = parse(received.path, file_kind, words)
        if kind is not None and "provider_uscc" in kind.usccs and not _wrong(problems):
            problems = [*problems, *_parties(db, found)]
        if kind is None or _wrong(problems):
            return Taken(kind, received.digests.sha256, len(found), problems)
        return _write(db, received, kind, found, problems, user)

    return database.run(engine, work)


def _parties(db: Connection, found: Sequence[Values]) -> list[Problem]:
    """Find the rows that name one party twice, or a company as provider and a provider as company.

    Taken as they are, they would mean nothing for any invoice, and nobody would notice.
    """
    same = [v for v in found if v["provider_uscc"] == v["company_uscc"]]
    swapped = {row["row_no"] for row in query(db, "queries/registry/swapped.sql", rows=canonical(found))}
    wrong = [("same_party", v) for v in same] + [("parties_swapped", v) for v in found if v["row_no"] in swapped]
    return [
        make(code, row=v["row_no"], column="供方统一社会信用代码", value=v["provider_uscc"])
        for code, v in sorted(wrong, key=lambda pair: pair[1]["row_no"])
    ]


def parse(path: Path, file_kind: str, words: Mapping[str, str]) -> tuple[Kind | None, list[Values], list[Problem]]:
    """Read a registry file into typed rows. words: category word to code. Never raises for what is in the file."""
    kind: Kind | None = None
    header: Header | None = None
    found: list[Values] = []
    problems: list[Problem] = []
    readers: list[ColumnReader] = []
    nearest: Header | None = None
    others: dict[str, None] = {}
    for entry in sheet_rows(path, "csv" if file_kind == "csv" else "xlsx"):
        if isinstance(entry, Problem):
            problems.append(entry)
            break
        sheet, row_no, row = entry
        if header is None or (sheet != header.sheet and not found):
            at = _identify(sheet, row_no, row, nearest) if row_no <= HEADER_WITHIN else (None, None, nearest)
            kind, header, nearest = at if at[1] else (kind, header, at[2])
            readers = [ColumnReader(column) for column in kind.columns] if kind else []
            if at[1] is not None and at[2] is not None and at[2].sheet != at[1].sheet:
                others[at[2].sheet] = None
            if header is None and not sheet and row_no >= HEADER_WITHIN:
                break
            if header is not None and header.duplicated:
                problems.append(make("duplicate_columns", value="、".join(header.duplicated), row=row_no))
                break
        elif sheet != header.sheet:
            if row_no <= HEADER_WITHIN and any(_identify(sheet, row_no, row, None)[1:]):
                others[sheet] = None
        elif kind is not None:
            values, wrong = _row(kind, header, readers, row_no, row, words)
            found.append(values)
            problems.extend(wrong)
    if kind is None or header is None:
        problems = problems or [_no_header(nearest)]
    elif not found and not problems:
        lacking = nearest is not None and nearest.sheet != header.sheet
        problems.append(_no_header(nearest) if lacking else make("no_rows"))
    return kind, found, problems + [make("other_sheet_ignored", value=other, sheet=other) for other in others]


def _identify(
    sheet: str, row_no: int, row: Sequence[Cell], nearest: Header | None
) -> tuple[Kind | None, Header | None, Header | None]:
    """Find the kind of which a row is the whole header; nearest: of the rows so far, the one that lacks least."""
    for kind in KINDS:
        header = match_header(kind.columns, sheet, row_no, row)
        if not header.missing:
            return kind, header, nearest
        if header.found * 2 > len(kind.columns) and (nearest is None or len(header.missing) < len(nearest.missing)):
            nearest = header
    return None, None, nearest


def _no_header(nearest: Header | None) -> Problem:
    """Say which columns are missing: of the kind that the file comes nearest to, else of all kinds."""
    if nearest is None:
        every = "；".join(f"{kind.title}（{'、'.join(column.name for column in kind.columns)}）" for kind in KINDS)
        return make("missing_columns", value=f"以下任一种登记文件的列：{every}")
    return make("missing_columns", value="、".join(nearest.missing), row=nearest.row_no, sheet=nearest.sheet)


def _row(
    kind: Kind,
    header: Header,
    readers: Sequence[ColumnReader],
    row_no: int,
    row: Sequence[Cell],
    words: Mapping[str, str],
) -> tuple[Values, list[Problem]]:
    """Read one row into typed values."""
    values: Values = {"row_no": row_no}
    problems: list[Problem] = []
    for reader, place in zip(readers, header.positions, strict=True):
        column = reader.column
        cell: Cell = row[place] if place is not None and place < len(row) else ""
        value, code = reader[cell], reader.notes.get(cell)
        cell = cell.removeprefix(cells.MERGED) if isinstance(cell, str) else cell
        if column.field in ("share_bp", "category", "account_no", "clearing_no") and code is None:
            value, code = _special(column.field, cell, words)
        if code is not None:
            choices = "、".join(words if column.field == "category" else [word for word, _ in column.choices])
            problems.append(
                make(
                    code,
                    row=row_no,
                    column=column.name,
                    value=cells.show(cell),
                    sheet=header.sheet,
                    choices=choices,
                )
            )
        values[column.field] = value
    size = max((place + 1 for place, cell in enumerate(row) if cells.show(cell).strip()), default=0)
    if size > len(header.cells):
        width = len(header.cells)
        problems = [make("too_many_cells", row=row_no, value=str(size), width=width, sheet=header.sheet)]
    if not any(problem.severity != "warning" for problem in problems):
        problems.extend(_finish(kind, values, row_no))
    return values, problems


def _special(field: str, cell: Cell, words: Mapping[str, str]) -> tuple[Any, str | None]:
    """Read a cell that only registry files have: a percentage, a category word, an account number.

    A workbook keeps a cell that shows 30% as the number 0.3, so a number up to 1 may mean either and is refused.
    """
    text = clean_id(cells.show(cell))
    if not text:
        return None, None
    if field == "category":
        return (words[text], None) if text in words else (None, "bad_choice")
    if not isinstance(cell, str) and field in ("account_no", "clearing_no"):
        return None, "number_lost"
    if field == "share_bp":
        match = _PERCENT.match(text)
        share = int(Decimal(match[1]) * 100) if match else -1
        doubtful = not isinstance(cell, str) and 0 < cell <= 1
        return (share, None) if 0 <= share <= 10_000 and not doubtful else (None, "bad_percent")
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"[0-9A-Za-z]{4,40}", digits):
        return None, "bad_account"
    usual = field != "clearing_no" or re.fullmatch(r"[0-9]{12}", digits)
    return digits, None if usual else "clearing_no_differs"


def _finish(kind: Kind, values: Values, row_no: int) -> list[Problem]:
    """Complete a row that is right cell by cell, and find what is wrong between its cells."""
    if "until_on" in values:
        last = values["until_on"]
        after = date.fromisoformat(last) + timedelta(days=1) if last else OPEN_END
        values["until_on"] = min(after, OPEN_END).isoformat()
    problems = []
    if kind.name == "relations" and values["kind"] == "shareholding" and values["share_bp"] is None:
        problems.append(make("required", row=row_no, column="比例"))
    if kind.name == "companies":
        values["basis"] = values["basis"] or ""
        given = [name for name in ("holder", "bank", "account_no", "clearing_no") if values[name]]
        if given and "account_no" not in given:
            problems.append(make("required", row=row_no, column="银行账号"))
        elif given:
            values |= {name: values[name] or "" for name in ("holder", "bank", "clearing_no")}
            values["holder"] = values["holder"] or values["name"]
    if kind.name == "subsidies":
        values["waived"] = values["waived"] == "yes"
    today = business_day().isoformat()
    if kind.name == "verifications" and values["checked_on"] > today:
        problems.append(make("day_ahead", row=row_no, column="查验日期", value=values["checked_on"], today=today))
    if kind.name in ("subsidies", "contracts") and values["amount_fen"] < 0:
        column = next(column.name for column in kind.columns if column.field == "amount_fen")
        problems.append(make("bad_amount", row=row_no, column=column, value=format_yuan(values["amount_fen"])))
    return problems


def _write(
    db: Connection,
    received: Received,
    kind: Kind,
    found: list[Values],
    problems: Sequence[Problem],
    user: User,
) -> Taken:
    """Write a registry file as one act; changed bank accounts as a proposal beside it."""
    sha256 = received.digests.sha256
    stem = f"{kind.name}:{sha256}"
    run_file(db, "queries/registry/lock.sql")
    history = one(db, "queries/registry/last_file.sql", kind=kind.name, reference=stem)
    assert history is not None
    if history["newest"] is not None and history["newest"].startswith(stem + ":"):
        asked = one(db, "queries/act/find.sql", kind="bank_account", reference=history["newest"])
        state = approval.find(db, asked["act_id"]).state if asked else ""
        if state not in ("rejected", "withdrawn"):  # whose accounts are proposed again
            waits = asked["act_id"] if asked and state == "proposed" else None
            return Taken(kind, sha256, len(found), problems, proposal=waits, fresh=False)
    reference = f"{stem}:{history['taken'] + 1}"
    with acts.act(db, "registry", reference, user.name, {"kind": kind.name, "sha256": sha256}) as act:
        run_file(
            db,
            "queries/import/59_document.sql",
            act_id=act.act_id,
            sha256=sha256,
            sm3=received.digests.sm3,
            size_bytes=received.size_bytes,
        )
        rows = canonical(found)
        if kind.usccs:
            usccs = sorted({values[field] for values in found for field in kind.usccs})
            run_file(db, "queries/registry/parties.sql", usccs=usccs, act_id=act.act_id)
        if kind.names:
            run_file(db, "queries/registry/names.sql", rows=rows, act_id=act.act_id)
        run_file(db, f"queries/registry/{kind.name}.sql", rows=rows, act_id=act.act_id)
        changed = _write_new_accounts(db, act, found) if kind.name == "companies" else []
        keep([received])
    proposal = _propose_accounts(db, reference, changed, user) if changed else None
    return Taken(kind, sha256, len(found), problems, act.no, proposal)


def _write_new_accounts(db: Connection, act: acts.Act, found: Sequence[Values]) -> list[Values]:
    """Write the first account of each company; return those that differ from the one on record."""
    given = {values["uscc"]: values for values in found if values["account_no"]}
    fields = ("holder", "bank", "account_no", "clearing_no")
    known = {
        row["uscc"]: tuple(row[field] for field in fields)
        for row in query(db, "queries/registry/accounts_of.sql", usccs=sorted(given))
    }
    salted = [values | {"salt": secrets.token_hex(16)} for values in given.values()]
    first = [values for values in salted if values["uscc"] not in known]
    if first:
        run_file(db, "queries/registry/accounts.sql", rows=canonical(first), act_id=act.act_id)
    return [
        values
        for values in salted
        if values["uscc"] in known and known[values["uscc"]] != tuple(values[field] for field in fields)
    ]


def _propose_accounts(db: Connection, reference: str, changed: Sequence[Values], user: User) -> int:
    """Propose all changed accounts of one file; the payload shows the last four digits and a salted hash only."""
    payload = [
        {
            "company": v["uscc"],
            "holder": v["holder"],
            "bank": v["bank"],
            "account": v["account_no"][-4:],
            "clearing_no": v["clearing_no"],
            "sha256": hashlib.sha256(bytes.fromhex(v["salt"]) + v["account_no"].encode()).hexdigest(),
        }
        for v in changed
    ]
    with acts.act(db, "bank_account", reference, user.name, payload) as act:
        approval.propose(db, act, "bank_account", f"变更{len(changed)}家企业的银行账户", payload, user)
        run_file(db, "queries/registry/pending_accounts.sql", rows=canonical(changed), act_id=act.act_id)
    return act.act_id


def _approve_accounts(db: Connection, proposal: approval.Proposal, act: acts.Act) -> dict[str, Any]:
    """Put approved accounts on record, those that were proposed. Raises Broken, Refused when a newer one is there."""
    run_file(db, "queries/registry/lock.sql")
    overtaken = query(db, "queries/registry/overtaken.sql", proposal_act_id=proposal.act_id)
    if overtaken:
        raise Refused(
            "stale",
            f"更晚登记的银行账户已经批准：{'、'.join(row['uscc'] for row in overtaken)}。"
            "请退回这一事项；其中如有其他企业的账户变更，请重新登记。",
        )
    written = run_file(
        db,
        "queries/registry/approve_accounts.sql",
        proposal_act_id=proposal.act_id,
        payload=proposal.payload,
        act_id=act.act_id,
    )
    if written != len(json.loads(proposal.payload)):
        raise Broken("account_changed", "待变更的银行账户与提交时不一致，可能被改动。请退回并联系系统管理员。")
    return {"accounts": written}


approval.declare("bank_account", _approve_accounts)
