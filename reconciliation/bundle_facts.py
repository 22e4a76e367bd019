"""Give the facts of a settlement from the sealed rows of an audit bundle, row for row as queries/facts gives them.

`Share` holds the sealed rows of some companies; each of its methods is the twin of one file of sql/queries/facts.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from reconciliation.bundle import TABLES
from voucher.copytext import fields

Row = dict[str, Any]
_NUMBERS = ("_id", "_fen", "_bp", "_no", "year", "place", "step", "lines")
_TEXTS = {"programme_id", "policy_id", "supersedes", "contract_no", "clearing_no"}
_FLAGS = {"waived", "by_hand", "backfill", "pro_rata", "has_lines", "refused", "replaces"}
_RANKS = {kind: rank for rank, kind in enumerate(("qr", "template", "pdf", "export", "ofd", "xml"), start=1)}
"""How much a kind of document proves: the twin of evidence_rank."""


_day = lru_cache(maxsize=10_000)(date.fromisoformat)
"""The days of a ledger are few, its rows are many."""


@lru_cache(maxsize=10_000)
def _span(value: str) -> tuple[date, ...] | None:
    return None if value == "empty" else tuple(map(_day, value.strip("[)").split(",")))


def _reader(name: str) -> Callable[[str], Any] | None:
    """Choose how a column is read by its name; None leaves it text."""
    if name in _FLAGS:
        return lambda value: value == "t"
    if name.endswith("_on"):
        return _day
    if name not in _TEXTS and name.endswith(_NUMBERS):
        return int
    words: dict[str, Callable[[str], Any]] = {
        "span": _span, "policy_ids": lambda value: value.strip("{}").split(","), "reasons": json.loads,
    }  # fmt: skip
    return words.get(name)


_READERS = {table: [(name, _reader(name)) for name in columns.split()] for table, columns in TABLES.items()}


def typed(table: str, line: str) -> Row:
    """Read one sealed row: numbers, days, flags, spans, lists and JSON by the names of the columns.

    A row of a register also gets until_on: the day after its last, its first day when it has none.
    """
    row: Row = {}
    for (name, read), value in zip(_READERS[table], fields(line), strict=True):
        row[name] = read(value) if read and value is not None else value
    if "from_on" in row:
        row["until_on"] = row["span"][1] if row["span"] else row["from_on"]
    if table == "relation":
        row["share_bp"] = row["share_bp"] or 0
    return row


@cache
def _places(table: str, names: tuple[str, ...]) -> list[tuple[int, Callable[[str], Any]]]:
    columns = {name: (place, read or str) for place, (name, read) in enumerate(_READERS[table])}
    return [columns[name] for name in names]


def picked(table: str, line: str, *names: str) -> list[Any]:
    """Read some columns of a sealed row, where all of it is read later on."""
    values = fields(line)
    if len(values) != len(_READERS[table]):
        raise ValueError(line)
    return [None if (value := values[place]) is None else read(value) for place, read in _places(table, names)]


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it was opened."""

    account_id: int
    name: str
    programme: str | None
    company: int
    year: int | None

    @property
    def kind(self) -> str:
        """Second part of the name: voucher, redeemed, payable…"""
        return self.name.split(":")[1]

    @property
    def root(self) -> bool:
        """Tell whether the account may go below zero."""
        return self.kind in ("authority", "treasury")


@dataclass(frozen=True, slots=True)
class Run:
    """A submitted run. approved_no: the seal of its approval, None without one; approval: that act's id."""

    run_id: int
    programme: str
    through: date
    backfill: bool
    pro_rata: bool
    cutoff: int
    fiscal_year: int
    policies: Mapping[str, str]
    digest: str
    lines: int
    proposal: int
    no: int
    approved_no: int | None = None
    approval: int | None = None


@dataclass
class Common:
    """What every share needs: listings, registers by invoice number, accounts, runs, acceptance before each act."""

    accepted_before: dict[int, int] = field(default_factory=dict)
    listings: list[Row] = field(default_factory=list)
    subsidies: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    verifications: list[Row] = field(default_factory=list)
    accounts: dict[int, Account] = field(default_factory=dict)
    runs: dict[int, Run] = field(default_factory=dict)


def _by_invoice(rows: Mapping[str, Sequence[Row]], table: str) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows.get(table, ()):
        found[row["invoice_id"]].append(row)
    return found


def _key(row: Row) -> tuple[object, object]:
    """Name a further document, or the one that a line is of."""
    return row["act_id"], row["kind"]


def _rank(row: Row) -> int:
    return _RANKS.get(row["kind"], 0)


def _template(row: Row, found: Sequence[Row], last: Row | None, decided: Row | None) -> Row | None:
    """Find the template whose span, payments and contract count; None for the invoice's own.

    found: further documents. last: the newest decision. decided: the further document that it keeps.
    """

    def agrees(paper: Row) -> bool:
        counts = last or row
        return bool((paper["net_fen"], paper["tax_fen"]) == (counts["net_fen"], counts["tax_fen"]))

    templates = [each for each in found if each["kind"] == "template"]
    if row["evidence"] == "template":
        if last and decided is None:
            return None
        if agrees(row):
            templates = [each for each in templates if each is decided or agrees(each)]
    return max(templates, key=lambda e: (e is decided, agrees(e), int(e["no"])), default=None)


def _listed(lines: Sequence[Row]) -> Row:
    """Write an invoice's lines as the query does: lists side by side, by line number."""
    ordered = sorted(lines, key=lambda line: int(line["line_no"]))
    return {
        "line_nos": [line["line_no"] for line in ordered], "tax_codes": [line["tax_code"] for line in ordered],
        "nets_fen": [line["net_fen"] for line in ordered],
    }  # fmt: skip


class Share:
    """The sealed rows of some companies, by table, each with the seal number (`no`) of its act."""

    def __init__(self, common: Common, rows: Mapping[str, Sequence[Row]]) -> None:
        self.common = common
        self.tables = rows
        numbers = {row["number"] for row in rows.get("invoice", ())}
        self._subsidies = [row for row in common.subsidies if row["invoice_number"] in numbers]
        self._payments = [row for row in common.payments if row["invoice_number"] in numbers]
        self._verifications = [row for row in common.verifications if row["invoice_number"] in numbers]
        self._lines = _by_invoice(rows, "invoice_line")
        self._evidence = _by_invoice(rows, "evidence")
        self._evidence_lines = _by_invoice(rows, "evidence_line")
        self._resolutions = _by_invoice(rows, "resolution")
        self._used = _by_invoice(rows, "usage_day")
        self._invoices = [self._invoice(row) for row in rows.get("invoice", ())]
        self._invoices.sort(key=lambda row: row["accepted_no"])
        self._moved: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        for row in rows.get("transfer", ()):
            debit, credit, fen = row["debit_account_id"], row["credit_account_id"], row["amount_fen"]
            self._moved[debit].append((row["no"], credit, -fen))
            self._moved[credit].append((row["no"], debit, fen))

    def rows(self, name: str, *, cutoff: int, programme: str = "", **_range: object) -> Sequence[Row]:
        """Give the rows of one kind of fact written by a cutoff; the range of companies is the share itself."""
        twins = {"served": self._served, "vouchers": self._vouchers, "refusals": self._refusals}
        if name in twins:
            return twins[name](programme, cutoff)
        known: Mapping[str, Sequence[Row]] = {
            "qualifications": self.tables.get("qualification", ()), "relations": self.tables.get("relation", ()),
            "listings": self.common.listings, "subsidies": self._subsidies, "payments": self._payments,
            "verifications": self._verifications, "contracts": self.tables.get("contract", ()),
            "invoices": self._invoices,
        }  # fmt: skip
        if name == "standings":
            return self._standings(cutoff)
        if name == "meterings":
            return self._meterings(cutoff)
        found = [row for row in known[name] if row["no"] <= cutoff]
        return [self._as_proved(row, cutoff) for row in found] if name == "invoices" else found

    def unequal(self) -> list[Row]:
        """List the invoices whose amounts are not the sums of their own lines."""
        found = []
        for row in self._invoices:
            lines = self._lines.get(row["invoice_id"], ())
            if any(row[name] != sum(line[name] for line in lines) for name in ("net_fen", "tax_fen", "gross_fen")):
                found.append(row)
        return found

    def lines(self, run_id: int) -> list[Row]:
        """Give the stored lines of a run, with their invoices' numbers, in order."""
        numbers = {row["invoice_id"]: row["number"] for row in self._invoices}
        found = [row for row in self.tables.get("run_line", ()) if row["run_id"] == run_id]
        return sorted(
            ({**row, "invoice_number": numbers.get(row["invoice_id"], "")} for row in found),
            key=lambda row: int(row["line_no"]),
        )

    def _invoice(self, row: Row) -> Row:
        first, end = row["span"] or (None, None)
        accepted_no = self.common.accepted_before[row["no"]] + row["place"]
        more = {"accepted_no": accepted_no, "from_on": first, "until_on": end, "corrected_fen": 0}
        return row | more | _listed(self._lines.get(row["invoice_id"], ()))

    def _as_proved(self, row: Row, cutoff: int) -> Row:
        """Give an invoice with the lines, span and money of the documents known by a cutoff: twin of evidence_at."""
        found = [each for each in self._evidence.get(row["invoice_id"], ()) if each["no"] <= cutoff]
        if not found:
            return row
        decisions = [each for each in self._resolutions.get(row["invoice_id"], ()) if each["no"] <= cutoff]
        last = max(decisions, key=lambda each: int(each["no"]), default=None)
        decided = next((e for e in found if last and _key(e) == (last["evidence_act_id"], last["kind"])), None)
        proved = dict(row)
        if last:
            proved |= {name: last[name] for name in ("net_fen", "tax_fen", "gross_fen")}
            proved["corrected_fen"] = last["net_fen"] - row["net_fen"]
        least, since = _rank(decided or {"kind": row["evidence"]}), last["no"] if last else 0
        better = [e for e in found if e["has_lines"] and e["no"] > since and _rank(e) > least]
        best = max(better, key=lambda e: (_rank(e), e["no"]), default=decided)
        template = _template(row, found, last, decided)
        if template:
            proved |= {name: template[name] for name in ("paid_fen", "contract_no")}
        speaks = template or (best if row["evidence"] != "template" else None)
        if speaks and speaks["span"]:
            proved["from_on"], proved["until_on"] = speaks["span"]
        if best:
            lines = self._evidence_lines.get(row["invoice_id"], ())
            proved |= _listed([line for line in lines if _key(line) == _key(best)])
        return proved

    def _meterings(self, cutoff: int) -> list[Row]:
        """Give what each file of usage recorded by the cutoff says of an invoice, with its days, in order."""
        numbers = {row["invoice_id"]: row["number"] for row in self._invoices}
        found = []
        for row in self.tables.get("metering", ()):
            if row["no"] <= cutoff:
                days: dict[date, Decimal] = defaultdict(Decimal)
                for used in self._used.get(row["invoice_id"], ()):
                    if used["upload_id"] == row["upload_id"]:
                        days[used["used_on"]] += Decimal(used["metered_yuan"])
                listed = {"used_on": sorted(days), "used_yuan": [days[day] for day in sorted(days)]}
                found.append(row | listed | {"invoice_number": numbers.get(row["invoice_id"], "")})
        return sorted(found, key=lambda row: (row["no"], row["upload_id"], row["invoice_number"]))

    def _refusals(self, programme: str, cutoff: int) -> list[Row]:
        """Give the refusals of a programme's claims, and their liftings, approved by the cutoff."""
        numbers = {row["invoice_id"]: row["number"] for row in self._invoices}
        return [
            row | {"invoice_number": numbers.get(row["invoice_id"], "")}
            for row in self.tables.get("refusal", ())
            if row["no"] <= cutoff and row["programme_id"] == programme
        ]

    def _served(self, programme: str, cutoff: int) -> list[Row]:
        """Give the lines of runs of a programme approved by the cutoff, in order of approval."""
        approved = {
            run.run_id: run
            for run in self.common.runs.values()
            if run.programme == programme and run.approved_no is not None and run.approved_no <= cutoff
        }
        found = [row for row in self.tables.get("run_line", ()) if row["run_id"] in approved]
        found.sort(key=lambda row: (approved[row["run_id"]].approved_no, row["line_no"]))
        names = ("invoice_id", "cap_year", "kind", "granted_fen", "withheld_fen", "budget_cut_fen")
        drawn = {
            (row["run_id"], row["cap_year"], row["company_id"])
            for row in found
            if row["granted_fen"] or row["budget_cut_fen"]
        }
        issued = {
            (row["cap_year"], row["company_id"]): row["no"]
            for row in self.tables.get("voucher", ())
            if row["programme_id"] == programme
        }

        def final(row: Row) -> bool:
            run, claimed = approved[row["run_id"]], (row["cap_year"], row["company_id"])
            drew = (row["run_id"], *claimed) in drawn
            return run.pro_rata and (drew or issued.get(claimed, cutoff + 1) <= (run.approved_no or 0))

        return [{name: row[name] for name in names} | {"final": final(row)} for row in found]

    def _vouchers(self, programme: str, cutoff: int) -> list[Row]:
        """Give the vouchers of a programme as their transfers and moves up to the cutoff leave them."""
        accounts = {
            (account.company, account.year): account.account_id
            for account in self.common.accounts.values()
            if account.kind == "voucher" and account.programme == programme
        }
        kinds = {each.account_id: each.kind for each in self.common.accounts.values()}
        states: dict[int, tuple[int, str]] = {}
        for move in self.tables.get("move", ()):
            if move["noun"] == "voucher" and move["no"] <= cutoff:
                states[move["subject_id"]] = max(
                    states.get(move["subject_id"], (0, "")), (move["step"], move["to_state"])
                )
        absorbed: dict[int, int] = defaultdict(int)
        for use in self.tables.get("absorbed_use", ()):
            absorbed[use["voucher_id"]] += use["used_fen"] if use["no"] <= cutoff else 0
        found = []
        for row in self.tables.get("voucher", ()):
            if row["no"] > cutoff or row["programme_id"] != programme:
                continue
            account = accounts.get((row["company_id"], row["cap_year"]), 0)
            moved = [(other, fen) for no, other, fen in self._moved[account] if no <= cutoff]
            lapsed = -sum(fen for other, fen in moved if kinds.get(other) == "lapsed")
            found.append(
                {
                    "company_id": row["company_id"], "cap_year": row["cap_year"], "automatic": not row["by_hand"],
                    "face_fen": sum(fen for other, fen in moved if kinds.get(other) == "authority"),
                    "over_fen": max(0, absorbed[row["voucher_id"]] - lapsed),
                    "balance_fen": sum(fen for _, fen in moved), "state": states.get(row["voucher_id"], (0, ""))[1],
                }
            )  # fmt: skip
        return sorted(found, key=lambda row: (row["company_id"], row["cap_year"]))

    def _standings(self, cutoff: int) -> list[Row]:
        """Give the companies that are frozen, or closed by a merger, as known at the cutoff."""
        moves = [row for row in self.tables.get("move", ()) if row["noun"] == "company" and row["no"] <= cutoff]
        last = {row["subject_id"]: row["to_state"] for row in sorted(moves, key=lambda row: int(row["step"]))}
        merged = {
            row["absorbed_id"]: row["merged_on"].year for row in self.tables.get("merger", ()) if row["no"] <= cutoff
        }
        frozen = {company for company, state in last.items() if state == "frozen"}
        return [
            {"company": each, "frozen": each in frozen, "closed_from": merged.get(each)}
            for each in sorted(frozen | merged.keys())
        ]
