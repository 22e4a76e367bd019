"""The 计算底稿 of one invoice as values: every number, what it came from and the clause it rests on.

Amounts are fen; days are as on paper, both ends inclusive.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from typing import Any

from voucher.money import Fen, format_yuan


@dataclass(frozen=True, slots=True)
class Party:
    """A company or a provider; uscc is its 统一社会信用代码."""

    uscc: str
    name: str


@dataclass(frozen=True, slots=True)
class Why:
    """A reason with its clause and its sentence, in the one shape of all reasons."""

    code: str
    clause: str
    amount_fen: Fen
    sentence: str


@dataclass(frozen=True, slots=True)
class Document:
    """A policy document that covers service days or gives a year's cap. rules: what is applied, value and ground."""

    id: str
    sha256: str
    title: str
    number: str
    item: str
    first_on: date
    last_on: date
    rules: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the invoice or of a red-letter of it, and whether it counts."""

    invoice_number: str
    line_no: int
    tax_code: str
    item: str
    net_fen: Fen
    counts: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """Days with one fate. why None: they count for the cap year under the document. used_yuan: of these days, by which
    the basis is shared; None where the days themselves share it.
    """

    first_on: date
    last_on: date
    days: int
    cap_year: int
    document: str
    amount_fen: Fen
    why: Why | None
    used_yuan: str | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """What counts of a cap year under one document, and its rate."""

    document: str
    rate_bp: int
    amount_fen: Fen


@dataclass(frozen=True, slots=True)
class Booking:
    """A line of the claim in a run. room_before_fen: what the voucher still had at its turn, before a budget cut.

    room_note: why the room is what it is, where the lines of runs do not say it; else empty.
    """

    run: str
    state: str
    through_on: date
    kind: str
    maker: str
    checker: str
    decided_on: date | None
    note: str
    basis_fen: Fen
    computed_fen: Fen
    overlap_cut_fen: Fen
    granted_fen: Fen
    withheld_fen: Fen
    budget_cut_fen: Fen
    room_before_fen: Fen
    room_after_fen: Fen
    room_note: str
    why: Sequence[Why]


@dataclass(frozen=True, slots=True)
class Year:
    """The claim of one cap year. other_fen: other subsidies' share of its days; overlap_cut_fen: what they take.

    cap_fen: of the year, by the document cap_by. joint_limit_fen: what both may reach together, None without a limit.
    why: what else takes from its worth, a refusal or too small a spend. granted_fen: so far, in approved runs.
    standing: what a run now would do with it, in words.
    """

    cap_year: int
    cap_fen: Fen
    cap_by: str
    slices: Sequence[Slice]
    basis_fen: Fen
    computed_fen: Fen
    other_fen: Fen
    joint_limit_fen: Fen | None
    overlap_cut_fen: Fen
    why: Sequence[Why]
    worth_fen: Fen
    granted_fen: Fen
    bookings: Sequence[Booking]
    standing: str


@dataclass(frozen=True, slots=True)
class Part:
    """What one programme makes of the invoice. pieces add up to basis_fen.

    documents: those of the service days, and those that give the caps of its years. paid_fen: None when nothing was
    given. contract_fen, contract_used_fen: its amount and what earlier invoices used of it, None without one.
    metered_fen: what the usage adds up to, with tax or without, None without any. other_fen: other subsidies of the
    invoice that were not given up. why: why there is no claim at all, empty when there is one.
    """

    programme: str
    documents: Sequence[Document]
    items: Sequence[Item]
    eligible_net_fen: Fen
    gross_fen: Fen
    paid_fen: Fen | None
    contract_no: str
    contract_fen: Fen | None
    contract_used_fen: Fen | None
    metered_fen: Fen | None
    metered_gross: bool
    basis_fen: Fen
    limited_by: str
    other_fen: Fen
    pieces: Sequence[Piece]
    years: Sequence[Year]
    why: Sequence[Why]


@dataclass(frozen=True, slots=True)
class Later:
    """A fact about the invoice that came after its first settlement."""

    seal: int
    effective_on: date
    actor: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """How one blue invoice was and will be settled, as known at a seal number.

    asked: the number asked for; a red-letter is explained with the invoice it reverses. original: the invoice that
    this one was issued anew for, empty when it names none.
    """

    asked: str
    number: str
    cutoff: int
    accepted_no: int
    issued_on: date
    received_on: date
    original: str
    first_on: date
    last_on: date
    company: Party
    provider: Party
    net_fen: Fen
    tax_fen: Fen
    gross_fen: Fen
    parts: Sequence[Part]
    later: Sequence[Later]


_IDS = ("cutoff", "accepted_no", "seal")


def as_json(explanation: Explanation) -> dict[str, Any]:
    """Return the explanation ready for JSON: money as yuan with two decimals, days as ISO, ids as strings."""
    plain = _plain("", explanation)
    assert isinstance(plain, dict)
    return plain


def _plain(name: str, value: object) -> object:
    """Turn one value into what JSON has; the ending _fen of a name goes with the amount's becoming yuan."""
    if is_dataclass(value):
        return {each.name.removesuffix("_fen"): _plain(each.name, getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, int) and name.endswith("_fen"):
        return format_yuan(value)
    if isinstance(value, date):
        return value.isoformat()
    if name in _IDS:
        return str(value)
    if isinstance(value, Mapping):
        return {key: _plain(key, each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(name, each) for each in value]
    return value
