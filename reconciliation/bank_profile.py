"""Bank profiles: how a bank's payout, result and statement files look, as one TOML file per bank.

A shipped profile is named, one of one's own is a file; the columns of a file to be read tell which profile fits.
"""

import codecs
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from voucher.errors import Misused

PAYOUT_FIELDS = ("", "no", "account", "holder", "bank", "clearing_no", "amount", "purpose", "reference")
RESULT_FIELDS = ("reference", "amount", "state", "day", "bank_reference", "reason")
STATEMENT_FIELDS = ("day", "paid_out", "paid_in", "amount", "direction", "name", "account", "serial", "remark")
_NEEDED = {"result": ("reference", "amount", "state"), "statement": ("day",), "payout": ("account", "amount")}
_SPOKEN = {"result": ("paid", "returned"), "statement": ()}
_KNOWN = {"title", "payer", "payout", "result", "statement", "treasury"}


@dataclass(frozen=True, slots=True)
class Profile:
    """One bank's formats; a section that the file lacks is empty. payer: name, account, clearing_no."""

    name: str
    title: str
    payer: Mapping[str, str] = field(default_factory=dict)
    payout: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)
    statement: Mapping[str, Any] = field(default_factory=dict)
    treasury: Mapping[str, str] = field(default_factory=dict)

    def columns(self, section: str) -> Mapping[str, str]:
        """Give the columns of a file to be read: field to header; empty when the bank has no such file."""
        found: Mapping[str, str] = getattr(self, section).get("columns", {})
        return found


def parse(name: str, text: str) -> Profile:
    """Read a profile. Raises Misused with what is wrong."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _bad(name, f"不是 TOML：{error}") from None
    if unknown := sorted(table.keys() - _KNOWN):
        raise _bad(name, f"不认识“{unknown[0]}”这一节")
    if flat := [section for section in sorted(table.keys() - {"title"}) if not isinstance(table[section], dict)]:
        raise _bad(name, f"“{flat[0]}”应是单独的一节，写成 [{flat[0]}]")
    profile = Profile(name, str(table.get("title", name)), **{k: v for k, v in table.items() if k != "title"})
    _check_text(profile)
    _check_payout(profile)
    for section, fields in (("result", RESULT_FIELDS), ("statement", STATEMENT_FIELDS)):
        columns = profile.columns(section)
        if not isinstance(columns, dict) or not all(isinstance(header, str) for header in columns.values()):
            raise _bad(name, f'[{section}] 的 columns 应写成 {{ 内容 = "列名", … }}')
        wrong = [key for key in columns if key not in fields]
        missing = [key for key in _NEEDED[section] if columns and key not in columns]
        if wrong or missing:
            raise _bad(name, f"[{section}] 的列“{[*wrong, *missing][0]}”{'不认识' if wrong else '缺少'}")
        words = _SPOKEN[section] if columns else ()
        words += ("out", "in") if "direction" in columns else ()
        _check_words(name, section, {key: getattr(profile, section).get(key) for key in words})
    if (columns := profile.columns("statement")) and ("amount" in columns) == ("paid_out" in columns):
        raise _bad(name, "[statement] 的金额须为 paid_out（支出）一列，或 amount（收支合在一起）一列，两者取一")
    return profile


def _check_text(profile: Profile) -> None:
    """Refuse what is written as text and is none, and an encoding that nobody knows."""
    texts = {"payer": ("name", "account", "clearing_no"), "payout": ("account_prefix", "encoding")}
    for section, keys in (texts | {"treasury": ("head", "row", "foot", "encoding")}).items():
        for key in keys:
            value = getattr(profile, section).get(key, "")
            if not isinstance(value, str):
                raise _bad(profile.name, f"[{section}] 的 {key} 应写在引号里")
            try:
                codecs.lookup(value if key == "encoding" and value else "utf-8")
            except LookupError:
                raise _bad(profile.name, f"[{section}] 的编码“{value}”不认识") from None


def _check_payout(profile: Profile) -> None:
    """Refuse a payment file whose columns are unknown, or that names no account or no amount."""
    if not profile.payout:
        return
    entries = profile.payout.get("columns")
    if not isinstance(entries, list) or not entries:
        raise _bad(profile.name, "[payout] 没有写明 columns")
    for entry in entries:
        if not isinstance(entry, list) or len(entry) != 2 or not isinstance(entry[0], str):
            raise _bad(profile.name, f'[payout] 的列“{entry}”应写成 ["表头", "内容"]')
        if entry[1] not in PAYOUT_FIELDS:
            raise _bad(profile.name, f"[payout] 的列“{entry[0]}”内容不认识")
    if missing := [key for key in _NEEDED["payout"] if key not in [content for _, content in entries]]:
        raise _bad(profile.name, f"[payout] 的列“{missing[0]}”缺少")


def _check_words(name: str, section: str, words: Mapping[str, Any]) -> None:
    """Refuse words that are not given as a list, and one that would mean two things."""
    meant: dict[str, str] = {}
    for key, said in words.items():
        if not said or not isinstance(said, list) or not all(isinstance(word, str) for word in said):
            raise _bad(name, f'[{section}] 没有写明哪些说法是“{key}”，应写成 {key} = ["说法", …]')
        if twice := [word for word in said if meant.setdefault(word, key) != key]:
            raise _bad(name, f"[{section}] 的“{twice[0]}”不能既是“{meant[twice[0]]}”又是“{key}”")


def _bad(name: str, why: str) -> Misused:
    return Misused("bad_profile", f"银行格式文件 {name} 有误：{why}。请对照随附的 generic.toml 改正。")


@cache
def shipped() -> Mapping[str, Profile]:
    """Read the shipped profiles: name to profile."""
    folder = files("reconciliation").joinpath("banks")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return {name[:-5]: parse(name[:-5], folder.joinpath(name).read_text("utf-8")) for name in names}


def find(asked: str | None) -> Profile:
    """Find a profile: a shipped one by name, any other by its file; the general one when none is asked for."""
    if asked is None:
        return shipped()["generic"]
    if asked in shipped():
        return shipped()[asked]
    try:
        return parse(Path(asked).name, Path(asked).read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        names = "、".join(shipped())
        raise Misused("no_profile", f"没有银行格式“{asked}”。可选：{names}，或写一个格式文件的路径。") from None


def candidates(asked: str | None, section: str) -> Sequence[Profile]:
    """Give the profiles whose files of a section may be read: the one asked for, else all shipped ones.

    Raises Misused when the one asked for knows no such file.
    """
    if asked is not None:
        profile = find(asked)
        if not profile.columns(section):
            told = f"银行格式“{profile.title}”没有 [{section}] 一节，不能读这份文件。请补上或换一个。"
            raise Misused("bad_profile", told)
        return [profile]
    return [profile for profile in shipped().values() if profile.columns(section)]
