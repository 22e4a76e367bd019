"""Derive the books anew from an audit bundle: every balance from its transfers, every grant with the plain engine.

Runs on bundles whose bytes and chain hold; what is found here was wrong when it was sealed, or the whole chain was
made anew.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from reconciliation import bundle
from reconciliation.bundle_check import Act, Fault, Opened
from reconciliation.bundle_facts import Row, Run, Share
from reconciliation.bundle_rows import Rows
from settlement.engine import Line, Taker, draft, share_out, shares, takers
from settlement.load import facts_from
from settlement.policy import Policy
from settlement.verify import compare
from voucher.money import format_yuan

Progress = Callable[[str], None]


_OWED = ("payable", "in_transit", "paid")
"""Kinds of accounts that hold what a line was granted, until it is recovered."""


def check(found: Sequence[Opened], rows: Rows, progress: Progress) -> Iterator[Fault]:
    """Yield what does not come out the same: balances, policy files, grants, and the transfers of each run."""
    yield from rows.faults
    yield from _check_balances(found[-1], rows)
    yield from check_policies(found, rows.bodies)
    runs = sorted(rows.common.runs.values(), key=lambda run: run.no)
    for run in runs:
        yield from _check_documents(run, rows)
    shared = {run.run_id: _shares(rows, run) for run in runs if run.pro_rata}
    for number, share in enumerate(rows.each_share(), start=1):
        for row in share.unequal():
            yield Fault(bundle.act_name(row["no"]), f"发票 {row['number']} 的金额不是其各行之和。")
        for run in runs:
            progress(f"重算第{number}/{len(rows.shares)}部分企业，结算批次 {run.run_id}")
            yield from _check_run(share, run, _policies(rows, run), shared.get(run.run_id))
            yield from _check_transfers(share, run, rows)
        yield from _check_payments(share, rows)


def _check_balances(last: Opened, rows: Rows) -> Iterator[Fault]:
    """Hold the balances summed from all transfers against those that were exported."""
    accounts = rows.common.accounts
    named = {accounts[each].name: fen for each, fen in rows.balances.items() if each in accounts}
    written = "".join(f"{name}|{named[name]}\n" for name in sorted(named, key=str.encode))
    if written.encode() == last.read(bundle.BALANCES):
        return
    lines = (line.rpartition("|") for line in last.read(bundle.BALANCES).decode("utf-8", "replace").split("\n"))
    told = {name: fen for name, _, fen in lines}
    for name in sorted(named.keys() | told.keys()):
        if told.get(name) != str(named.get(name)):
            one, two = told.get(name, "无"), named.get(name, "无")
            yield Fault(bundle.BALANCES, f"账户 {name} 的余额写作{one}分，由转账重算为{two}分。")
            return
    yield Fault(bundle.BALANCES, "账户的次序或写法不对。")


def check_policies(found: Sequence[Opened], bodies: Mapping[str, bytes]) -> Iterator[Fault]:
    """Hold the policy files against what was recorded. bodies: policy id to its file as it was sealed."""
    there = {policy_id: each for each in found for policy_id in each.policies}
    for policy_id in sorted(there.keys() | bodies.keys()):
        name = bundle.policy_name(policy_id)
        if policy_id not in there or there[policy_id].read(name) != bodies.get(policy_id):
            yield Fault(name, f"政策文件 {policy_id} 与账上登记的不是同一份。")


def _policies(rows: Rows, run: Run) -> list[Policy]:
    """Return the documents known at a run's cutoff."""
    return [policy for no, policy in rows.policies if no <= run.cutoff]


def _check_documents(run: Run, rows: Rows) -> Iterator[Fault]:
    used = {each.id: each.sha256 for each in _policies(rows, run) if each.programme == run.programme}
    if dict(run.policies) != used:
        yield Fault(bundle.act_name(run.no), f"结算批次 {run.run_id} 所依据的政策文件与当时登记的不一致。")


def _shares(rows: Rows, run: Run) -> dict[tuple[int, int], int]:
    """Share out a pro-rata run over all its companies; what its lines grant is what was available."""
    wanted: list[Taker] = []
    granted = 0
    for share in rows.each_share():
        facts = facts_from(share.rows, run.programme, run.cutoff)
        wanted += takers(draft(facts, _policies(rows, run), run.programme, run.through, backfill=run.backfill).lines)
        granted += sum(max(0, row["granted_fen"]) for row in share.lines(run.run_id))
    return shares(wanted, max(1, granted))


def _check_run(
    share: Share, run: Run, policies: Sequence[Policy], shared: Mapping[tuple[int, int], int] | None
) -> Iterator[Fault]:
    """Compute a run's lines for the companies of a share and hold them against the sealed ones."""
    facts = facts_from(share.rows, run.programme, run.cutoff)
    computed = draft(facts, policies, run.programme, run.through, backfill=run.backfill).lines
    computed = computed if shared is None else share_out(computed, shared)
    stored = share.lines(run.run_id)
    for difference in compare(stored, facts, computed, _places(stored, computed)):
        yield Fault(bundle.act_name(run.no), f"结算批次 {run.run_id}：{difference.sentence}")


def _places(stored: Sequence[Row], computed: Sequence[Line]) -> Iterator[int]:
    """Number computed lines company by company from where each company's stored lines begin.

    That the companies follow each other without a gap was seen when the lines were read.
    """
    begins: dict[int, int] = {}
    for row in stored:
        begins.setdefault(row["company_id"], row["line_no"])
    counted: dict[int, int] = defaultdict(int)
    for line in computed:
        yield begins.get(line.company, 1) + counted[line.company]
        counted[line.company] += 1


def _check_transfers(share: Share, run: Run, rows: Rows) -> Iterator[Fault]:
    """Hold what the approval of a run booked for each line against the line: the limit it used, the money owed."""
    accounts = rows.common.accounts
    limits: dict[int, int] = defaultdict(int)
    owed: dict[int, int] = defaultdict(int)
    wrong: set[int] = set()
    lines = {row["line_no"]: row for row in share.lines(run.run_id)}
    for row in _booked(share, run):
        line = lines.get(row["line_no"])
        if line is None:
            wrong.add(row["line_no"])
            continue
        uscc = rows.usccs.get(line["company_id"], "")
        redeemed = f"limit:redeemed:{run.programme}:{uscc}:{line['cap_year']}"
        budget = accounts[row["debit_account_id"]].name == f"money:appropriation:{run.fiscal_year}"
        for account_id, fen in (
            (row["debit_account_id"], -row["amount_fen"]),
            (row["credit_account_id"], row["amount_fen"]),
        ):
            name = accounts[account_id].name
            if name == redeemed:
                limits[row["line_no"]] += fen
            elif name == f"money:payable:{uscc}" and budget:
                owed[row["line_no"]] += fen
    taken = _taken_back(share, run, rows)
    for place, line in lines.items():
        due = line["granted_fen"] if run.approved_no else 0
        money = owed[place] if due >= 0 else -taken[line["invoice_id"], line["cap_year"]]
        if limits[place] != due or money != due:
            wrong.add(place)
    for place in sorted(wrong):
        fen = format_yuan(lines[place]["granted_fen"]) if place in lines else "无"
        no = run.approved_no or run.no
        yield Fault(bundle.act_name(no), f"结算批次 {run.run_id} 第{place}行（{fen}元）的记账与该行不符。")


def _check_payments(share: Share, rows: Rows) -> Iterator[Fault]:
    """Follow the money of each line: in no state below nothing, and with the bank no more than payments say."""
    accounts = rows.common.accounts
    states: dict[tuple[int, int, str], int] = defaultdict(int)
    unpaid: dict[tuple[int, int], int] = defaultdict(int)
    last: dict[tuple[int, int], int] = {}
    for row in share.tables.get("payment_line", ()):
        unpaid[row["run_id"], row["line_no"]] += row["amount_fen"]
    for row in share.tables.get("transfer", ()):
        place = row["run_id"], row["line_no"]
        pair = row["debit_account_id"], row["credit_account_id"]
        if row["run_id"] is None or not accounts.keys() >= set(pair):
            continue  # an account that was never opened is a fault already
        debit, credit = (accounts[each].kind for each in pair)
        states[(*place, debit)] -= row["amount_fen"]
        states[(*place, credit)] += row["amount_fen"]
        last[place] = row["no"]
        if (debit, credit) == ("payable", "in_transit"):
            unpaid[place] -= row["amount_fen"]
    wrong = {place for place, fen in unpaid.items() if fen < 0}
    wrong |= {(run, line) for (run, line, kind), fen in states.items() if fen < 0 and kind in _OWED}
    for run_id, line_no in sorted(wrong):
        detail = f"结算批次 {run_id} 第{line_no}行的资金去向与拨付记录不符，或付出多于应付。"
        yield Fault(bundle.act_name(last[run_id, line_no]), detail)


def _taken_back(share: Share, run: Run, rows: Rows) -> dict[tuple[int, int], int]:
    """Sum by invoice and cap year what the approval of a run took off the lines that were granted before."""
    lines = {(row["run_id"], row["line_no"]): row for row in share.tables.get("run_line", ())}
    taken: dict[tuple[int, int], int] = defaultdict(int)
    for row in share.tables.get("transfer", ()):
        line = lines.get((row["run_id"], row["line_no"]))
        if line is None or row["act_id"] != run.approval or row["run_id"] == run.run_id:
            continue
        account = rows.common.accounts[row["debit_account_id"]]
        if account.kind in _OWED and account.company == line["company_id"]:
            taken[line["invoice_id"], line["cap_year"]] += row["amount_fen"]
    return taken


def _booked(share: Share, run: Run) -> Iterator[Row]:
    """Give the transfers of a run's lines that its approval wrote, or any of them while it is not approved."""
    for row in share.tables.get("transfer", ()):
        if row["run_id"] == run.run_id and (run.approval is None or row["act_id"] == run.approval):
            yield row


def sizes(rows: Rows, acts: Sequence[Act]) -> dict[str, int]:
    """Count what was derived anew."""
    runs = rows.common.runs.values()
    return {
        "acts": len(acts),
        "accounts": len(rows.balances),
        "runs": len(runs),
        "lines": sum(run.lines for run in runs),
    }
