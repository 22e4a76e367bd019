"""Recompute a run from the facts of its cutoff, in plain Python, and compare it with the stored lines.

The second witness at work: whatever the queries got wrong, or somebody changed since, is a difference.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection

from settlement import documents, recovery
from settlement import run as runs
from settlement.engine import Line, Taker, draft, share_out, shares, takers
from settlement.facts import Facts
from settlement.load import facts_by_company
from settlement.policy import Policy
from voucher import ledger
from voucher.database import query
from voucher.money import format_yuan
from voucher.reasons import reasons_of, sentence

WORDS: Mapping[str, str] = {
    "line_no": "行号", "accepted_no": "受理号", "basis_fen": "计算基数", "computed_fen": "计算额",
    "overlap_cut_fen": "重复享受核减", "granted_fen": "补贴额", "withheld_fen": "上限核减",
    "budget_cut_fen": "指标核减", "policy_ids": "政策文件", "reasons": "事由",
    "company": "企业",
}  # fmt: skip
"""Field of a line to what it is called on screen."""
Key = tuple[int, str, int]
"""What names a line within a run: invoice, kind, cap year."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of a run that does not come out the same.

    invoice_number: empty when the run as a whole is meant. field: of `Line`, `line` when a whole line is
    missing or too many, else `digest`, `policies` or `available`. stored, computed: in words, empty when there is none.
    """

    invoice_number: str
    cap_year: int
    kind: str
    field: str
    stored: str
    computed: str

    @property
    def sentence(self) -> str:
        """Say the difference in Chinese."""
        if not self.invoice_number:
            whole = {"digest": "结算行的摘要", "policies": "所依据的政策文件", "available": "可用的指标"}
            what = whole[self.field]
            return f"{what}不一致：记录为{self.stored}，重算为{self.computed}。"
        line = f"发票 {self.invoice_number} {self.cap_year}年度的{runs.KINDS[self.kind]}行"
        if self.field != "line":
            return f"{line}，{WORDS[self.field]}不一致：记录为{self.stored}，重算为{self.computed}。"
        if self.stored:
            return f"{line}在批次内有记录（{self.stored}），重算没有这一行。"
        return f"{line}在批次内没有记录，重算应有这一行（{self.computed}）。"


def verify(db: Connection, run_id: int) -> list[Difference]:
    """Recompute a run (draft, submitted or decided) and return what differs; nothing when all is right.

    Reads range by range of companies, so memory does not grow with the run. Raises Refused without such a run.
    """
    run = runs.find(db, run_id)
    policies = documents.recorded(db, run.cutoff)
    found = list(_whole(db, run, policies))
    before = 0
    shared = _shares(db, run, policies) if run.pro_rata else None
    for companies, facts in facts_by_company(db, run.programme, run.cutoff):
        computed = draft(facts, policies, run.programme, run.through, backfill=run.backfill).lines
        computed = computed if shared is None else share_out(computed, shared)
        stored = query(db, "queries/facts/lines.sql", run_id=run_id, first_id=companies[0], last_id=companies[1])
        found += compare(stored, facts, computed, range(before + 1, before + len(computed) + 1))
        before += len(computed)
    return found


def _shares(db: Connection, run: runs.Run, policies: Sequence[Policy]) -> dict[tuple[int, int], int]:
    """Share out a pro-rata run over all its companies; what its lines grant is what was available."""
    wanted: list[Taker] = []
    for _, facts in facts_by_company(db, run.programme, run.cutoff):
        wanted += takers(draft(facts, policies, run.programme, run.through, backfill=run.backfill).lines)
    return shares(wanted, max(1, runs.totals(db, run)["granted"]))


def _whole(db: Connection, run: runs.Run, policies: Sequence[Policy]) -> Iterator[Difference]:
    """Compare what concerns the run as a whole: the digest of its lines and the documents it names."""
    digest = runs.lines_digest(db, "draft_line" if run.state == "draft" else "run_line", run.run_id)
    if digest != run.digest:
        yield Difference("", 0, "", "digest", run.digest, digest)
    if run.pro_rata:
        sums = runs.totals(db, run)
        available = ledger.available_at(db, run.fiscal_year, run.cutoff)
        available += recovery.returning(db, run.run_id, run.programme, run.fiscal_year, sums["recovered"], run.cutoff)
        if available != sums["granted"]:
            yield Difference("", 0, "", "available", *(f"{format_yuan(x)}元" for x in (sums["granted"], available)))
    named = {policy["id"]: policy["sha256"] for policy in run.policies}
    used = {policy.id: policy.sha256 for policy in policies if policy.programme == run.programme}
    if named != used:
        yield Difference("", 0, "", "policies", "、".join(sorted(named)), "、".join(sorted(used)))


def compare(
    rows: Sequence[Mapping[str, Any]], facts: Facts, computed: Sequence[Line], places: Iterable[int]
) -> Iterator[Difference]:
    """Compare stored lines with computed ones of the same companies. places: line numbers of the computed ones."""
    stored: dict[Key, tuple[int, Line]] = {}
    numbers = {invoice.invoice_id: invoice.number for invoice in facts.invoices}
    for row in rows:
        numbers[row["invoice_id"]] = row["invoice_number"]
        stored[row["invoice_id"], row["kind"], row["cap_year"]] = row["line_no"], line_of(row)
    for place, line in zip(places, computed, strict=True):
        key = line.invoice_id, line.kind, line.cap_year
        named = numbers[line.invoice_id], line.cap_year, line.kind
        if key not in stored:
            yield Difference(*named, "line", "", _words("granted_fen", line.granted_fen))
            continue
        number, other = stored.pop(key)
        if number != place:
            yield Difference(*named, "line_no", str(number), str(place))
        for field in fields(Line):
            one, two = getattr(other, field.name), getattr(line, field.name)
            if one != two:
                words = _words(field.name, one), _words(field.name, two)
                yield Difference(*named, field.name, *words)
    for _, other in stored.values():
        named = numbers[other.invoice_id], other.cap_year, other.kind
        yield Difference(*named, "line", _words("granted_fen", other.granted_fen), "")


def line_of(row: Mapping[str, Any]) -> Line:
    """Read a stored line as the engine writes one."""
    return Line(
        invoice_id=row["invoice_id"],
        cap_year=row["cap_year"],
        kind=row["kind"],
        basis_fen=row["basis_fen"],
        computed_fen=row["computed_fen"],
        overlap_cut_fen=row["overlap_cut_fen"],
        granted_fen=row["granted_fen"],
        withheld_fen=row["withheld_fen"],
        budget_cut_fen=row["budget_cut_fen"],
        policy_ids=tuple(row["policy_ids"]),
        reasons=reasons_of(row["reasons"]),
        company=row["company_id"],
        accepted_no=row["accepted_no"],
    )


def _words(field: str, value: object) -> str:
    """Write a field's value for a person."""
    if isinstance(value, int) and field.endswith("_fen"):
        return f"{format_yuan(value, grouped=True)}元"
    if field == "reasons" and isinstance(value, tuple):
        return "".join(map(sentence, value)) or "无"
    return "、".join(map(str, value)) if isinstance(value, tuple) else str(value)
