"""Policy documents: dated data read from TOML, checked, and turned into JSON for the database and back.

A document is one file of one programme (an item of a legal document). Every parameter states the words it
rests on (`article`) or why it was assumed (`assumed`). No code names a programme.
"""

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from itertools import combinations, pairwise
from operator import attrgetter
from pathlib import Path
from typing import Any

from voucher.days import Span, inclusive, year_span
from voucher.errors import Refused
from voucher.money import MAX_FEN


@dataclass(frozen=True, slots=True)
class Ground:
    """What a parameter rests on: words of the law, or an assumption the bureau has to confirm."""

    article: str
    assumed: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a policy file. code: stable; document: its id or file name; message: Chinese."""

    code: str
    document: str
    parameter: str
    message: str


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy document. span is half-open; sha256 is that of the file's bytes; units end the names.

    categories: code to Chinese word. claim_deadline: month-day of the year after the cap year.
    joint_limit_bp: only with overlap = joint_limit. grounds: per parameter what it rests on.
    """

    id: str
    programme: str
    title: str
    number: str
    issuer: str
    item: str
    supersedes: str | None
    sha256: str
    span: Span
    rate_bp: int
    annual_cap_fen: int
    categories: Mapping[str, str]
    amount_basis: str
    cap_year_by: str
    rounding: str
    payee: str
    approve_before_disclosure: bool
    issuance: str
    overlap: str
    joint_limit_bp: int | None
    related_party_share_bp: int
    claim_deadline: str
    disclosure_working_days: int
    over_budget: str
    backfill: str
    min_spend_fen: int
    tax_verification: str
    usage_sum: str
    usage_sum_tolerance_fen: int
    eligible_tax_codes: tuple[str, ...]
    grounds: Mapping[str, Ground]

    def deadline(self, year: int) -> date:
        """Return the last day on which a claim of the cap year may be handed in."""
        month, day = self.claim_deadline.split("-")
        return date(year + 1, int(month), int(day))


class BadPolicy(Refused):
    """A policy file is wrong; `faults` says all that is."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("bad_policy", "；".join(f"{f.document} {f.parameter}：{f.message}" for f in faults))
        self.faults = tuple(faults)


HEADER = ("id", "programme", "title", "number", "issuer", "item", "supersedes")
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}\Z", re.ASCII)
_CODE = re.compile(r"[a-z][a-z0-9_]{0,30}\Z", re.ASCII)
_PREFIX = re.compile(r"\d{1,19}\Z", re.ASCII)
Rule = tuple[Callable[[object], bool], str]


def _whole(high: int, unit: str) -> Rule:
    return lambda v: type(v) is int and 0 <= v <= high, f"应为0至{high}的整数，单位{unit}"


def _one_of(*words: str) -> Rule:
    return lambda v: isinstance(v, str) and v in words, f"应为 {'、'.join(words)} 之一"


def _is_month_day(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(f"2001-{value}") is not None
    except ValueError:
        return False


def _are_categories(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(isinstance(code, str) and _CODE.match(code) for code in value)
        and all(isinstance(word, str) and word.strip() for word in value.values())
        and len(set(value.values())) == len(value)
    )


def _are_prefixes(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(prefix, str) and _PREFIX.match(prefix) for prefix in value)
        and len(set(value)) == len(value)
    )


RULES: Mapping[str, Rule] = {
    "rate_bp": _whole(10_000, "万分之一"),
    "annual_cap_fen": _whole(MAX_FEN - 1, "分"),
    "categories": (_are_categories, "应为“代码 = 中文名称”的表，至少一项，名称不重复"),
    "amount_basis": _one_of("net"),
    "cap_year_by": _one_of("service_day"),
    "rounding": _one_of("down"),
    "payee": _one_of("company"),
    "approve_before_disclosure": (lambda v: v is True, "应为 true"),
    "issuance": _one_of("automatic", "application"),
    "overlap": _one_of("exclusive", "top_up", "joint_limit"),
    "joint_limit_bp": _whole(10_000, "万分之一"),
    "related_party_share_bp": _whole(10_000, "万分之一"),
    "claim_deadline": (_is_month_day, '应为次年的月日，如 "03-31"'),
    "disclosure_working_days": _whole(366, "工作日"),
    "over_budget": _one_of("refuse", "pro_rata"),
    "backfill": _one_of("listed"),
    "min_spend_fen": _whole(MAX_FEN, "分"),
    "tax_verification": _one_of("none", "required"),
    "usage_sum": _one_of("warn", "hold"),
    "usage_sum_tolerance_fen": _whole(MAX_FEN, "分"),
    "eligible_tax_codes": (_are_prefixes, "应为税收分类编码前缀（1至19位数字，加引号）的列表，不重复"),
}
"""What the value of each parameter may be, and the words for it. Only what the code does is allowed."""
UNSAID: Mapping[str, object] = {"tax_verification": "none", "usage_sum": "warn", "usage_sum_tolerance_fen": 0}
"""What holds where a document does not name a parameter."""


def load(source: Path | bytes) -> Policy:
    """Read one policy file. Raises BadPolicy with all its faults."""
    raw = source if isinstance(source, bytes) else source.read_bytes()
    policy, faults = _read(raw, "（文件）" if isinstance(source, bytes) else source.name)
    if policy is None:
        raise BadPolicy(faults)
    return policy


def shipped_files() -> list[bytes]:
    """Return the bytes of the policy files that are part of the program, by file name."""
    folder = files("settlement").joinpath("policies")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return [folder.joinpath(name).read_bytes() for name in names]


def shipped() -> list[Policy]:
    """Read the policy files that are part of the program, by file name."""
    return [load(body) for body in shipped_files()]


def parameters(policy: Policy) -> dict[str, Any]:
    """Return what the database keeps as jsonb: each parameter by its name, the grounds, and what people call it.

    The span is two ISO days, `from_on` and `until_on`, the latter exclusive; joint_limit_bp may be null.
    """
    values: dict[str, Any] = {name: getattr(policy, name) for name in RULES}
    values["name"] = policy.number + policy.item
    values["categories"] = dict(policy.categories)
    values["eligible_tax_codes"] = list(policy.eligible_tax_codes)
    values["from_on"] = policy.span.start.isoformat()
    values["until_on"] = policy.span.end.isoformat()
    values["grounds"] = {
        name: {"article": ground.article, "assumed": ground.assumed} for name, ground in policy.grounds.items()
    }
    return values


def from_parameters(header: Mapping[str, str | None], values: Mapping[str, Any]) -> Policy:
    """Rebuild a document from its database row.

    header: id, programme, title, number, issuer, item, supersedes, sha256. values: as `parameters` gave them.
    Raises BadPolicy when a value is not allowed (an edited parameter of a simulation, for one).
    """
    return _build(
        {name: header.get(name) for name in (*HEADER, "sha256")},
        Span(date.fromisoformat(values["from_on"]), date.fromisoformat(values["until_on"])),
        {name: values.get(name) for name in RULES},
        {name: Ground(g["article"], g["assumed"]) for name, g in values["grounds"].items()},
    )


def in_force(policies: Iterable[Policy]) -> list[tuple[Policy, Span]]:
    """Return each document with the days it is in force, by programme and day.

    A document that is superseded ends where the one that supersedes it starts, even if that one ends
    earlier; a document left without a day is not in the list.
    """
    documents = list(policies)
    result = []
    for policy in documents:
        ends = [other.span.start for other in documents if other.supersedes == policy.id]
        span = Span(policy.span.start, min([policy.span.end, *ends]))
        if span.days:
            result.append((policy, span))
    return sorted(result, key=lambda entry: (entry[0].programme, entry[1], entry[0].id))


def governing(documents: Sequence[tuple[Policy, Span]], year: int) -> Policy | None:
    """Return the document in force on the cap year's last covered day, None when no day is covered.

    It gives the year's cap, claim deadline, min_spend_fen and issuance.
    documents: one programme's, as `in_force` gives them.
    """
    covered = [((span & year_span(year)).end, policy) for policy, span in documents if (span & year_span(year)).days]
    return max(covered, key=lambda entry: entry[0])[1] if covered else None


def cap_for_year(documents: Sequence[tuple[Policy, Span]], year: int) -> int:
    """Return the year's cap in fen, 0 when no day of it is covered."""
    policy = governing(documents, year)
    return 0 if policy is None else policy.annual_cap_fen


def check(sources: Iterable[Policy | Path | bytes]) -> list[Fault]:
    """Return all faults of policy files, each by itself and all together; an empty list means all is well."""
    faults: list[Fault] = []
    policies: list[Policy] = []
    for source in sources:
        try:
            policies.append(source if isinstance(source, Policy) else load(source))
        except BadPolicy as bad:
            faults += bad.faults
    return faults + _reference_faults(policies) + _span_faults(policies) + _code_faults(policies)


def _read(raw: bytes, name: str) -> tuple[Policy | None, list[Fault]]:
    """Read one file; the policy is None when there are faults."""
    try:
        document = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return None, [Fault("not_toml", name, "", "不是 UTF-8 编码的文件，请另存为 UTF-8。")]
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+), column (\d+)", str(error))
        where = f"第{at[1]}行第{at[2]}列附近" if at else "文件末尾"
        return None, [Fault("not_toml", name, "", f"{where}不合 TOML 的写法：一项写了两次，或引号、括号不成对。")]
    name = document["id"] if isinstance(document.get("id"), str) else name
    header = {key: document.get(key) for key in HEADER}
    header["sha256"] = hashlib.sha256(raw).hexdigest()
    tables = {key: value for key, value in document.items() if isinstance(value, dict)}
    faults = [
        Fault("unknown_key", name, key, "不认识的项，请检查拼写。")
        for key in document
        if key not in (*HEADER, *RULES, "effective")
    ]
    faults += _shape_faults(name, tables)
    span, span_faults = _effective(name, tables.get("effective", {}))
    grounds = {
        key: Ground(str(table.get("article", "")), str(table.get("assumed", ""))) for key, table in tables.items()
    }
    try:
        policy = _build(header, span, {key: tables.get(key, {}).get("value") for key in RULES}, grounds)
    except BadPolicy as bad:
        return None, [*faults, *span_faults, *bad.faults]
    faults += span_faults
    return (None, faults) if faults else (policy, [])


def _shape_faults(name: str, tables: Mapping[str, Mapping[str, object]]) -> list[Fault]:
    """Return faults of the parameters' tables: unknown keys, and numbers without article or assumption."""
    faults = []
    for parameter, table in tables.items():
        known = {"from", "until"} if parameter == "effective" else {"value"}
        for key in sorted(table.keys() - known - {"article", "assumed"}):
            faults.append(Fault("unknown_key", name, f"{parameter}.{key}", "不认识的项，请检查拼写。"))
        words = [table[key] for key in ("article", "assumed") if key in table]
        if not words or not all(isinstance(word, str) and word.strip() for word in words):
            faults.append(
                Fault("no_ground", name, parameter, "缺少依据：请写 article（原文）或 assumed（为何如此假定）。")
            )
    return faults


def _effective(name: str, table: Mapping[str, object]) -> tuple[Span, list[Fault]]:
    """Read the span, inclusive on paper; without `until` it is open."""
    first, last = table.get("from"), table.get("until")
    if type(first) is not date or not (last is None or type(last) is date):
        fault = Fault("bad_value", name, "effective", "from、until 应为日期（不加引号），如 2025-12-25。")
        return inclusive(date(2000, 1, 1), None), [fault]
    span = inclusive(first, last)
    return span, [] if span.days else [Fault("bad_value", name, "effective", "until 早于 from。")]


def _build(header: Mapping[str, Any], span: Span, values: Mapping[str, Any], grounds: Mapping[str, Ground]) -> Policy:
    """Make a policy of its parts. Raises BadPolicy when a value is missing or not allowed."""
    name = str(header["id"])
    values = {**values, **{key: value for key, value in UNSAID.items() if values.get(key) is None}}
    faults = [
        Fault("bad_value", name, key, "应为小写字母、数字、点和连字符组成的标识。")
        for key in ("id", "programme", "supersedes")
        if not (key == "supersedes" and header[key] is None)
        and not (isinstance(header[key], str) and _ID.match(header[key]))
    ]
    faults += [
        Fault("bad_value", name, key, "缺少文字。")
        for key in ("title", "number", "issuer", "item")
        if not isinstance(header[key], str) or not header[key].strip()
    ]
    for parameter, (allowed, words) in RULES.items():
        value = values.get(parameter)
        if parameter == "joint_limit_bp" and values.get("overlap") != "joint_limit":
            if value is not None:
                faults.append(Fault("bad_value", name, parameter, "只有 overlap 为 joint_limit 时才能填写。"))
        elif value is None:
            faults.append(Fault("missing", name, parameter, f"缺少该项，{words}。"))
        elif not allowed(value):
            faults.append(Fault("bad_value", name, parameter, f"{words}。"))
    if faults:
        raise BadPolicy(faults)
    values = {**values, "eligible_tax_codes": tuple(values["eligible_tax_codes"])}
    given = {**{key: header[key] for key in HEADER}, **{key: values[key] for key in RULES}}
    return Policy(sha256=str(header["sha256"]), span=span, grounds=dict(grounds), **given)


def _reference_faults(policies: Sequence[Policy]) -> list[Fault]:
    """Return ids used twice and `supersedes` that names no document of the same programme."""
    faults = []
    ids = [policy.id for policy in policies]
    programmes = {policy.id: policy.programme for policy in policies}
    for policy in {each.id: each for each in policies if ids.count(each.id) > 1}.values():
        faults.append(Fault("same_id", policy.id, "id", "标识已被另一份文件使用；改动须另立新文件。"))
    for policy in policies:
        if policy.supersedes is not None and (
            policy.supersedes == policy.id or programmes.get(policy.supersedes) != policy.programme
        ):
            faults.append(Fault("unknown_superseded", policy.id, "supersedes", "所替代的文件不在同一事项内。"))
    return faults


def _span_faults(policies: Sequence[Policy]) -> list[Fault]:
    """Return gaps and undeclared overlaps between the documents of each programme."""
    faults = []
    for (one, span), (other, following) in pairwise(in_force(policies)):
        if one.programme != other.programme:
            continue
        if following.start > span.end:
            faults.append(
                Fault(
                    "gap",
                    other.id,
                    "effective",
                    f"与 {one.id} 之间有空档：{span.end}至{following.start}前一日。",
                )
            )
        if following.start < span.end:
            message = f"与 {one.id} 的有效期重叠，且未声明替代（supersedes）。"
            faults.append(Fault("overlap", other.id, "effective", message))
    return faults


def _code_faults(policies: Sequence[Policy]) -> list[Fault]:
    """Return tax prefixes that two programmes have on the same day, and category words with two codes."""
    faults = []
    for (one, span), (other, other_span) in combinations(in_force(policies), 2):
        if one.programme == other.programme or not (span & other_span).days:
            continue
        for prefix in sorted(set(one.eligible_tax_codes) & set(other.eligible_tax_codes)):
            message = f"前缀 {prefix} 与 {one.programme} 的 {one.id} 相同，同一发票行会归入两个事项。"
            faults.append(Fault("equal_tax_prefix", other.id, "eligible_tax_codes", message))
    words: dict[str, str] = {}
    for policy in sorted(policies, key=attrgetter("id")):
        for code, word in policy.categories.items():
            if words.setdefault(word, code) != code:
                message = f"类别“{word}”在另一份文件中的代码为 {words[word]}。"
                faults.append(Fault("category_words", policy.id, "categories", message))
    return faults
