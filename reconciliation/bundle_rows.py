"""Read the rows of an audit bundle act by act: what all companies share, and each company's rows put aside.

The rows of the companies go into temporary files, a company's all into one, so that memory is bounded by a share.
"""

import hashlib
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import IO

from reconciliation import bundle
from reconciliation.bundle_check import Act, Damaged, Fault, Opened
from reconciliation.bundle_facts import Account, Common, Row, Run, Share, picked, typed
from settlement.policy import BadPolicy, Policy, load
from voucher.copytext import fields, tables

_SHARE = 8 << 20
"""Bytes of acts for which one more share is made."""
_IN_MEMORY = 1 << 18
_OF_A_COMPANY = {
    "qualification": "company_id",
    "relation": "company_id",
    "refusal": "company_id",
    "contract": "company_id",
    "metering": "company_id",
    "usage_day": "company_id",
    "run_line": "company_id",
    "payment_line": "company_id",
    "voucher": "company_id",
    "merger": "absorbed_id",
    "absorbed_use": "company_id",
}
"""Tables whose rows name their company, by which column."""


NOT_OURS = (BadPolicy, KeyError, IndexError, TypeError, ValueError)
"""What reading or computing with a row raises that the program never wrote."""


def _damaged(no: int, error: Exception) -> Damaged:
    return Damaged(bundle.act_name(no), f"第{no}号的原文不是本程序写得出的（{error}）。")


@dataclass
class Rows:
    """What a bundle holds. balances: account to fen; policies: with the seal number that recorded each.

    bodies: policy id to its file as it was sealed; usccs: party to its code; proposals: act to maker and drafter.
    """

    common: Common = field(default_factory=Common)
    balances: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    policies: list[tuple[int, Policy]] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)
    usccs: dict[int, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    proposals: dict[int, tuple[str, str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    shares: Sequence[IO[bytes]] = ()

    def each_share(self) -> Iterator[Share]:
        """Give the companies' rows, share by share."""
        for file in self.shares:
            found: dict[str, list[Row]] = defaultdict(list)
            file.seek(0)
            for line in file:
                table, no, text = line.decode("utf-8").removesuffix("\n").split("|", 2)
                try:
                    found[table].append(typed(table, text) | {"no": int(no)})
                except NOT_OURS as error:
                    raise _damaged(int(no), error) from error
            yield Share(self.common, found)


_ACCOUNTS = {
    "limit": ("authority", "voucher", "redeemed", "lapsed"),
    "money": ("treasury", "appropriation", "payable", "in_transit", "paid", "recoverable", "returned"),
}
"""Book to the kinds of its accounts."""


class Reader:
    """Read act after act into `rows`."""

    def __init__(self, shares: Sequence[IO[bytes]]) -> None:
        self.rows = Rows(shares=shares)
        self._company_of_number: dict[str, int] = {}
        self._company_of_voucher: dict[int, int] = {}
        self._company_of_invoice: dict[int, int] = {}
        self._of_another: dict[int, int] = {}
        self._touched: set[int] = set()
        self._lines: dict[int, tuple[int, int, hashlib._Hash]] = {}
        self._batch: list[tuple[int, int]] = []
        self._payments: dict[int, int] = {}
        self._paid: dict[int, int] = defaultdict(int)
        self._owners: dict[tuple[int, int], int] = {}
        self._payees: dict[int, int] = {}
        self._heirs: dict[int, int] = {}
        self._kept: dict[str, Callable[[Act, str, str], None]] = {
            "app_user": self._user, "party": self._party, "policy": self._policy, "account": self._account,
            "listing": self._listing, "subsidy": self._subsidy, "invoice_payment": self._payment,
            "verification": self._verification,
            "proposal": self._proposal, "decision": self._decision, "run": self._run, "run_line": self._run_line,
            "invoice": self._invoice, "invoice_line": self._invoice_line, "voucher": self._voucher, "move": self._move,
            "transfer": self._transfer, "evidence": self._further, "evidence_line": self._further,
            "resolution": self._further, "payment_batch": self._payment_batch, "payment": self._one_payment,
            "payment_line": self._payment_line, "bank_account": self._bank_account, "merger": self._merger,
        }  # fmt: skip

    def read(self, opened: Opened, act: Act) -> None:
        """Read one act's rows; afterwards no account may be below zero."""
        self.rows.common.accepted_before[act.no] = act.accepted_before
        self._company_of_invoice = {}
        self._touched = set()
        self._lines = {}
        self._batch, self._payments, self._paid = [], {}, defaultdict(int)
        with opened.archive.open(bundle.act_name(act.no)) as body:
            for table, line in tables(body):
                if table in _OF_A_COMPANY:
                    (company,) = picked(table, line, _OF_A_COMPANY[table])
                    self._put(company, act, table, line)
                if table in self._kept:
                    self._kept[table](act, table, line)
        for account_id in self._touched:
            account = self.rows.common.accounts.get(account_id)
            if account is None:
                self._fault(act, f"转账所记的账户 {account_id} 没有开立记录。")
            elif self.rows.balances[account_id] < 0 and not account.root:
                self._fault(act, f"账户 {account.name} 在{act.words}之后透支。")
        for run_id, (count, _, hasher) in self._lines.items():
            run = self.rows.common.runs.get(run_id)
            if run is None or (run.lines, run.digest) != (count, hasher.hexdigest()):
                self._fault(act, f"结算批次 {run_id} 的行数或摘要与其结算行不符。")
        told = [(len(self._payments), sum(self._payments.values()))] if self._payments else []
        if self._payments != self._paid or self._batch != told:
            self._fault(act, f"{act.words}的付款与所付结算行，或拨付批次的笔数、金额不符。")

    def _fault(self, act: Act, detail: str) -> None:
        self.rows.faults.append(Fault(bundle.act_name(act.no), detail))

    def _put(self, company: int, act: Act, table: str, line: str) -> None:
        self.rows.shares[self._share(company)].write(f"{table}|{act.no}|{line}\n".encode())

    def _share(self, company: int) -> int:
        return company % len(self.rows.shares)

    def _user(self, _act: Act, _table: str, line: str) -> None:
        row = typed("app_user", line)
        self.rows.roles[row["name"]] = row["role"]

    def _party(self, _act: Act, _table: str, line: str) -> None:
        row = typed("party", line)
        self.rows.usccs[row["party_id"]] = row["uscc"]

    def _policy(self, act: Act, _table: str, line: str) -> None:
        row = typed("policy", line)
        body = row["body"].encode()
        if hashlib.sha256(body).hexdigest() != row["sha256"]:
            self._fault(act, f"政策文件 {row['policy_id']} 与其摘要不符。")
        self.rows.bodies[row["policy_id"]] = body
        self.rows.policies.append((act.no, load(body)))

    def _account(self, act: Act, _table: str, line: str) -> None:
        """Keep an account; its name is made of the programme, company and year that it belongs to."""
        row = typed("account", line)
        account = Account(row["account_id"], row["name"], row["programme_id"], row["company_id"], row["year"])
        self.rows.common.accounts[account.account_id] = account
        book, kind, *told = account.name.split(":")
        owner = self.rows.usccs.get(account.company, "") if account.company else None
        meant = [str(part) for part in (account.programme, owner, account.year) if part is not None]
        if told != meant or kind not in _ACCOUNTS.get(book, ()):
            self._fault(act, f"账户 {account.name} 的名称与它所属的事项、企业、年度不符。")

    def _listing(self, act: Act, _table: str, line: str) -> None:
        self.rows.common.listings.append(typed("listing", line) | {"no": act.no})

    def _subsidy(self, act: Act, _table: str, line: str) -> None:
        self.rows.common.subsidies.append(typed("subsidy", line) | {"no": act.no})

    def _payment(self, act: Act, _table: str, line: str) -> None:
        self.rows.common.payments.append(typed("invoice_payment", line) | {"no": act.no})

    def _verification(self, act: Act, _table: str, line: str) -> None:
        row = typed("verification", line)
        self.rows.common.verifications.append(row | {"no": act.no, "passed": row["result"] == "same"})

    def _proposal(self, _act: Act, _table: str, line: str) -> None:
        row = typed("proposal", line)
        self.rows.proposals[row["act_id"]] = row["maker"], row["drafted_by"]

    def _decision(self, act: Act, _table: str, line: str) -> None:
        """Keep an approval with its run, and see that a second person gave it."""
        row = typed("decision", line)
        makers = self.rows.proposals.get(row["proposal_act_id"], ())
        by = row["decided_by"]
        if by != act.actor or not makers:
            self._fault(act, f"{act.words}的决定人不是办理人，或所决定的事项不存在。")
        elif row["verdict"] == "withdrawn":
            if by != makers[0]:
                self._fault(act, f"{act.words}：撤回人不是提交人。")
        elif self.rows.roles.get(by) != "checker" or by in makers:
            self._fault(act, f"{act.words}不是由未参与经办的复核人员决定的。")
        for run in self.rows.common.runs.values():
            if run.proposal == row["proposal_act_id"] and row["verdict"] == "approved":
                self.rows.common.runs[run.run_id] = replace(run, approved_no=act.no, approval=row["act_id"])

    def _run(self, act: Act, _table: str, line: str) -> None:
        row = typed("run", line)
        self.rows.common.runs[row["run_id"]] = Run(
            row["run_id"], row["programme_id"], row["through_on"], row["backfill"], row["pro_rata"], row["cutoff_no"],
            row["fiscal_year"], {each["id"]: each["sha256"] for each in json.loads(row["policies"])},
            row["lines_sha256"], row["lines"], row["proposal_act_id"], act.no,
        )  # fmt: skip

    def _run_line(self, act: Act, _table: str, line: str) -> None:
        """Digest a run's lines as its submission did; they are numbered without a gap, company after company."""
        values = fields(line)
        run_id, place, company = int(values[-1] or 0), int(values[0] or 0), int(values[1] or 0)
        count, last, hasher = self._lines.get(run_id, (0, 0, hashlib.sha256()))
        if place != count + 1 or company < last:
            self._fault(act, f"结算批次 {run_id} 的行号或企业次序在第{place}行处断开。")
        hasher.update(("|".join(value or "" for value in values[:-1]) + "\n").encode())
        self._lines[run_id] = count + 1, company, hasher

    def _invoice(self, act: Act, _table: str, line: str) -> None:
        """Put an invoice with its company; a red-letter with that of its blue."""
        invoice_id, own, number, kind, original = picked(
            "invoice", line, "invoice_id", "company_id", "number", "kind", "original_number"
        )
        company = own
        if kind == "red":
            company = self._company_of_number.get(original, own)
        else:
            self._company_of_number[number] = own
        self._company_of_invoice[invoice_id] = company
        if company != own:
            self._of_another[invoice_id] = company
        self._put(company, act, "invoice", line)

    def _invoice_line(self, act: Act, _table: str, line: str) -> None:
        invoice_id = int(line.partition("|")[0])
        self._put(self._company_of_invoice[invoice_id], act, "invoice_line", line)

    def _further(self, act: Act, table: str, line: str) -> None:
        """Put what further documents say with their invoice."""
        invoice_id, company = picked(table, line, "invoice_id", "company_id")
        self._put(self._of_another.get(invoice_id, company), act, table, line)

    def _voucher(self, _act: Act, _table: str, line: str) -> None:
        row = typed("voucher", line)
        self._company_of_voucher[row["voucher_id"]] = row["company_id"]

    def _move(self, act: Act, _table: str, line: str) -> None:
        row = typed("move", line)
        subject = row["subject_id"]
        if row["noun"] in ("voucher", "company"):
            self._put(self._company_of_voucher[subject] if row["noun"] == "voucher" else subject, act, "move", line)

    def _bank_account(self, _act: Act, _table: str, line: str) -> None:
        act_id, row_no, company = picked("bank_account", line, "act_id", "row_no", "company_id")
        self._owners[act_id, int(row_no)] = company

    def _merger(self, _act: Act, _table: str, line: str) -> None:
        absorbed, survivor = picked("merger", line, "absorbed_id", "survivor_id")
        self._heirs[absorbed] = survivor

    def _payment_batch(self, _act: Act, _table: str, line: str) -> None:
        payments, amount = picked("payment_batch", line, "payments", "amount_fen")
        self._batch.append((int(payments), amount))

    def _one_payment(self, act: Act, _table: str, line: str) -> None:
        """Keep what a payment pays, and to whom; its batch and its lines are of the same act."""
        payment, amount, payee, account_act, account_row = picked(
            "payment", line, "payment_id", "amount_fen", "payee_id", "account_act_id", "account_row_no"
        )
        self._payments[payment], self._payees[payment] = amount, payee
        if self._owners.get((account_act, int(account_row))) != payee:
            self._fault(act, f"{act.words}的一笔付款不是付给收款企业自己的账户。")

    def _payment_line(self, act: Act, _table: str, line: str) -> None:
        """Keep what is paid of a line; what was granted to a company is paid to it, or to whom it was merged into."""
        payment, amount, company = picked("payment_line", line, "payment_id", "amount_fen", "company_id")
        self._paid[payment] += amount
        heirs = {company}
        while (company := self._heirs.get(company, company)) not in heirs:
            heirs.add(company)
        if self._payees.get(payment) not in heirs:
            self._fault(act, f"{act.words}的一笔付款付给了别的企业。")

    def _transfer(self, act: Act, _table: str, line: str) -> None:
        """Book a transfer, and put it with the companies whose accounts it moves."""
        debit, credit, amount = picked("transfer", line, "debit_account_id", "credit_account_id", "amount_fen")
        companies: dict[int, int] = {}
        for account_id, fen in ((debit, -amount), (credit, amount)):
            self.rows.balances[account_id] += fen
            self._touched.add(account_id)
            account = self.rows.common.accounts.get(account_id)
            if account is not None and account.company:
                companies[self._share(account.company)] = account.company
        for company in companies.values():
            self._put(company, act, "transfer", line)


def _spool() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(_IN_MEMORY)


def read(stack: ExitStack, found: Sequence[Opened], acts: Sequence[Act]) -> Rows:
    """Read all acts of bundles whose digests and chain hold; the files behind the rows live as long as the stack.

    Raises Damaged for rows that cannot be ours.
    """
    size = sum(entry.file_size for each in found for entry in each.archive.infolist())
    reader = Reader([stack.enter_context(_spool()) for _ in range(1 + size // _SHARE)])
    for act in acts:
        try:
            reader.read(found[act.bundle], act)
        except NOT_OURS as error:
            raise _damaged(act.no, error) from error
    return reader.rows


def policies(found: Sequence[Opened], acts: Sequence[Act]) -> dict[str, bytes]:
    """Read the policy files that these acts recorded: policy id to its file as it was sealed. Raises Damaged."""
    bodies: dict[str, bytes] = {}
    for act in acts:
        if act.kind == "policy":
            with found[act.bundle].archive.open(bundle.act_name(act.no)) as body:
                try:
                    rows = [
                        picked("policy", line, "policy_id", "body") for name, line in tables(body) if name == "policy"
                    ]
                except NOT_OURS as error:
                    raise _damaged(act.no, error) from error
            bodies |= {policy_id: text.encode() for policy_id, text in rows}
    return bodies
