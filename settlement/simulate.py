"""Compute one year from zero under two sets of policy documents: those recorded, and a draft in their place.

From zero means that nothing was granted yet and no voucher was issued, frozen or closed: only the rules differ. The
plain engine computes both sides, range by range of companies, in a transaction that may only read.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from settlement import documents
from settlement.engine import Line, draft
from settlement.facts import Facts
from settlement.load import facts_by_company
from settlement.policy import RULES, BadPolicy, Policy, check, from_parameters, governing, in_force, parameters
from settlement.policy_words import PARAMETERS, written
from voucher import acts, budget
from voucher.database import query
from voucher.days import OPEN_END, year_span
from voucher.errors import Misused
from voucher.money import Fen

MONTHS = range(1, 13)


@dataclass
class Side:
    """What one set of documents gives for the year. months: of the last service day in the year, to fen granted.

    held_fen: worth of claims that wait for a person; nothing of them is granted.
    """

    claims: int = 0
    granted_fen: Fen = 0
    withheld_fen: Fen = 0
    held: int = 0
    held_fen: Fen = 0
    companies: dict[int, Fen] = field(default_factory=lambda: defaultdict(int))
    months: dict[int, Fen] = field(default_factory=lambda: defaultdict(int))

    def add(self, line: Line, month: int) -> None:
        """Add a grant line."""
        self.claims += 1
        self.granted_fen += line.granted_fen
        self.withheld_fen += line.withheld_fen
        self.companies[line.company] += line.granted_fen
        self.months[month] += line.granted_fen

    def runs_out(self, appropriation: Fen) -> int | None:
        """Return the month in which more is granted than was appropriated, None when it lasts."""
        total = 0
        for month in MONTHS:
            total += self.months.get(month, 0)
            if total > appropriation:
                return month
        return None


@dataclass(frozen=True, slots=True)
class Company:
    """A company and what each side grants it."""

    uscc: str
    name: str
    now_fen: Fen
    then_fen: Fen


@dataclass(frozen=True, slots=True)
class Simulation:
    """Both sides of a year. now: the recorded documents; then: the draft. companies: the greatest change first.

    changes: each number that differs, as name, recorded value, draft's value; of the documents that govern the year.
    """

    programme: str
    year: int
    cutoff: int
    now: Side
    then: Side
    companies: Sequence[Company]
    appropriation_fen: Fen
    documents: Sequence[str]
    changes: Sequence[tuple[str, str, str]]


def changed(policy: Policy, settings: Sequence[str]) -> Policy:
    """Return a document with other values, `rate_bp=2500` each; lists are written with commas.

    Another overlap takes the limit of a joint one away.

    Raises Misused for an unknown parameter, BadPolicy for a value that is not allowed.
    """
    values = parameters(policy)
    for setting in settings:
        name, _, text = setting.partition("=")
        if name not in RULES or not text or name == "categories":
            known = "、".join(each for each in RULES if each != "categories")
            raise Misused("bad_setting", f"“{setting}”无法识别。请写成 rate_bp=2500；可改的项目：{known}。")
        values[name] = _value(getattr(policy, name), text)
    if values["overlap"] != "joint_limit" and not any(each.startswith("joint_limit_bp=") for each in settings):
        values["joint_limit_bp"] = None
    header = {
        name: getattr(policy, name) for name in ("id", "programme", "title", "number", "issuer", "item", "sha256")
    }
    return replace(from_parameters(header, values), supersedes=policy.supersedes)


def _value(old: object, text: str) -> object:
    """Read a value as the kind that the parameter has."""
    if isinstance(old, tuple):
        return text.split(",")
    if isinstance(old, bool):
        return text == "true"
    digits = text.replace("_", "")
    return int(digits) if digits.isascii() and digits.isdigit() and not isinstance(old, str) else text


def simulate(
    db: Connection, year: int, draft_file: Policy | None, settings: Sequence[str] = (), programme: str | None = None,
    as_of: str | None = None,
) -> Simulation:  # fmt: skip
    """Compute a year under the recorded documents and under others; nothing is written.

    draft_file: stands in place of all documents of its programme. settings: change it, or without a file every
    recorded document of the programme; without either both sides are the same. as_of: with what was known then.
    Raises Misused, BadPolicy when the documents do not fit.
    """
    cutoff = acts.cutoff(db, as_of)
    now = documents.recorded(db, cutoff)
    chosen = draft_file.programme if draft_file else documents.only_programme(now, programme)
    own = [replace(draft_file, supersedes=None)] if draft_file else [each for each in now if each.programme == chosen]
    own = [changed(each, settings) for each in own] if settings else own
    then = [*(each for each in now if each.programme != chosen), *own]
    faults = check(then)
    if faults:
        raise BadPolicy(faults)
    sides = Side(), Side()
    for _, facts in facts_by_company(db, chosen, cutoff):
        fresh = replace(facts, served=(), vouchers=(), standings=())
        for side, policies in zip(sides, (now, then), strict=True):
            if any(each.programme == chosen for each in policies):
                _add(side, fresh, policies, chosen, year)
    return Simulation(
        programme=chosen,
        year=year,
        cutoff=cutoff,
        now=sides[0],
        then=sides[1],
        companies=_companies(db, cutoff, *sides),
        appropriation_fen=_appropriated(db, cutoff, year),
        documents=[policy.id for policy, _ in in_force(own)],
        changes=_changes([each for each in now if each.programme == chosen], own, year),
    )


def _changes(now: Sequence[Policy], then: Sequence[Policy], year: int) -> list[tuple[str, str, str]]:
    """Say in which days of the year the documents are in force, and in which numbers those that govern it differ."""
    days = _in_force(now, year), _in_force(then, year)
    found = [("年内有效期", *days)] if days[0] != days[1] else []
    old, new = (governing(in_force(each), year) for each in (now, then))
    if old is None or new is None:
        return found
    differ = [name for name in PARAMETERS if getattr(old, name) != getattr(new, name)]
    return found + [(PARAMETERS[name][0], written(old, name), written(new, name)) for name in differ]


def _in_force(policies: Sequence[Policy], year: int) -> str:
    """Write the days of the year on which the documents of a programme are in force; they have no gaps."""
    parts = [force & year_span(year) for _, force in in_force(policies)]
    parts = [part for part in parts if part.days]
    return f"{parts[0].start}至{parts[-1].last}" if parts else "无"


def _add(side: Side, facts: Facts, policies: Iterable[Policy], programme: str, year: int) -> None:
    """Add the companies of one range."""
    year_end = year_span(year).last
    months = {each.invoice_id: min(each.span.last, year_end).month for each in facts.invoices if each.span is not None}
    found = draft(facts, [_applied_for(each) for each in policies], programme, OPEN_END, backfill=False)
    for line in found.lines:
        if line.cap_year == year:
            side.add(line, months[line.invoice_id])
    for line in found.held:
        if line.cap_year == year:
            side.held += 1
            side.held_fen += line.computed_fen - line.overlap_cut_fen


def _applied_for(policy: Policy) -> Policy:
    """Take every voucher for issued with the cap as its face: who would apply, and for how much, nobody knows."""
    return replace(policy, issuance="automatic")


def _companies(db: Connection, cutoff: int, now: Side, then: Side) -> list[Company]:
    """Name the companies that either side grants anything."""
    ids = sorted(now.companies.keys() | then.companies.keys())
    rows: Sequence[Mapping[str, Any]] = query(db, "queries/settle/companies.sql", ids=ids, cutoff=cutoff)
    found = [
        Company(
            row["company"],
            row["name"],
            now.companies.get(row["company_id"], 0),
            then.companies.get(row["company_id"], 0),
        )
        for row in rows
    ]
    return sorted(found, key=lambda each: (-abs(each.then_fen - each.now_fen), each.uscc))


def _appropriated(db: Connection, cutoff: int, year: int) -> Fen:
    """Return what was appropriated for the fiscal year of the same number."""
    return sum(int(row["appropriated_fen"]) for row in budget.years(db, cutoff) if row["year"] == year)
