"""Mapping profiles: a provider's own sheet is mapped to the template's columns once and read by itself from then on.

A profile is kept by provider and header row. It says which of their columns is which of ours, and gives constants for
columns that their sheet lacks. The newest profile of a provider and header holds.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from importers import cells, formats, guess
from importers.columns import RETURN_COLUMNS, Column, ColumnReader, header_name
from importers.formats.cq_compute_1 import COLUMNS, EVIDENCE, VERSION_COLUMN
from importers.messages import make
from importers.parts import Part
from importers.rules import check_table
from importers.sheets import head
from importers.tables import read_table
from voucher import acts
from voucher.access import User
from voucher.acts import canonical
from voucher.database import one, run_file
from voucher.errors import Misused
from voucher.problem import Problem

KIND = "mapping"
_OURS = {column.name: column for column in COLUMNS if column.name != VERSION_COLUMN}
_FEWEST = 3
"""Columns that must be recognised before a header is taken for one."""


@dataclass(frozen=True, slots=True)
class Profile:
    """columns: name of ours to name of theirs. constants: name of ours to the cell that every row has."""

    columns: Mapping[str, str]
    constants: Mapping[str, str]


@dataclass(slots=True)
class Mapped:
    """A format made of a profile."""

    profile: Profile
    NAME: str = "MAPPED"
    EVIDENCE: str = EVIDENCE
    KINDS: tuple[str, ...] = ("csv", "xlsx")

    def matches(self, header: Sequence[str]) -> bool:
        """Tell whether a header row has all the columns."""
        return {header_name(name) for name in self.profile.columns.values()} <= {header_name(cell) for cell in header}

    def read(self, path: Path, kind: str, *, today: date) -> Iterator[Part]:
        """Yield the chunks and problems of a file."""
        columns = [replace(_OURS[ours], name=theirs) for ours, theirs in self.profile.columns.items()]
        constants = {
            _OURS[ours].field: ColumnReader(_OURS[ours])[cell] for ours, cell in self.profile.constants.items()
        }
        return read_table(path, kind, columns, check_table, today=today, constants=constants)


def header_digest(row: Sequence[cells.Cell]) -> str:
    """Digest a header row: its names in order, without blanks and stars, and without what a return file adds."""
    names = ["" if (name := header_name(cell)) in RETURN_COLUMNS else name for cell in row]
    while names and not names[-1]:
        names.pop()
    return hashlib.sha256("\x1f".join(names).encode()).hexdigest()


def find(db: Connection, path: Path, kind: str, provider: str) -> Mapped | None:
    """Find the saved profile that reads a file: the provider's own first, then one for everybody."""
    for _, _, row in head(path, kind):
        found = one(db, "queries/mapping/find.sql", header_sha256=header_digest(row), provider=provider)
        if found is not None:
            return Mapped(Profile(**json.loads(found["profile"])))
    return None


def header_of(path: Path, kind: str) -> tuple[list[str], dict[str, str]]:
    """Return the row that looks most like a header, as text, and the guesses.

    Raises Misused for none, and for that of a format, which would read the file whatever is saved.
    """
    if (known := formats.known(path, kind)) is not None:
        raise Misused(
            "known_header", f"程序已经认得这张表（{known.NAME}），对应关系用不上。请直接导入，缺列的照提示补上。"
        )
    rows = [[cells.show(cell) for cell in row] for _, _, row in head(path, kind)]
    place, guesses = guess.nearest(rows)
    if len(guesses) < _FEWEST:
        raise Misused("no_header", "前十行里找不到表头：认得的列不足三个。请先在文件里加上一行列名。")
    return rows[place], guesses


def unknown(path: Path, kind: str) -> Problem | None:
    """Say of a table that no format knows which columns are missing and what would be guessed.

    None for our own template, and where not one row can be read: the format itself says what is wrong with them.
    """
    try:
        _, guesses = header_of(path, kind)
    except Misused as misused:
        found = misused.code == "no_header" and next(head(path, kind), None) is not None
        return make("header_not_found") if found else None
    missing = "、".join(name for name, column in _OURS.items() if name not in guesses and column.required)
    told = "，".join(f"“{theirs}”可能是“{ours}”" for ours, theirs in guesses.items() if ours != theirs)
    return make("unknown_header", value=missing or "（无）", guesses=told or "没有可以猜测的列")


def read_profile(text: str) -> Profile:
    """Read a profile from TOML. Raises Misused."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Misused("bad_profile", f"对应关系不是有效的 TOML（{error}）。请改正后重试。") from None
    parts = {name: tables.pop(name, {}) for name in ("columns", "constants")}
    if tables or not all(
        isinstance(table, dict) and all(isinstance(value, str) for value in table.values()) for table in parts.values()
    ):
        raise Misused("bad_profile", "对应关系只能有 [columns] 和 [constants] 两段，值都写成带引号的文字。")
    return Profile(**parts)


def write_profile(profile: Profile) -> str:
    """Write a profile as TOML, with the columns of ours that nothing is said of as comments."""
    lines = ["# 左边是模板的列名，右边是这张表的列名", "[columns]"]
    lines += [f"{_quoted(ours)} = {_quoted(theirs)}" for ours, theirs in profile.columns.items()]
    lines += [
        f'# {_quoted(ours)} = ""{"  # 必填" if column.required else ""}'
        for ours, column in _OURS.items()
        if ours not in profile.columns and ours not in profile.constants
    ]
    lines += ["", "# 这张表没有、每行都相同的内容", "[constants]"]
    lines += [f"{_quoted(ours)} = {_quoted(cell)}" for ours, cell in profile.constants.items()]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def check(profile: Profile, header: Sequence[str]) -> None:
    """Refuse a profile that could not read a file with this header. Raises Misused with all that is wrong."""
    there = [header_name(cell) for cell in header]
    faults = [f"模板没有“{name}”这一列" for name in {*profile.columns, *profile.constants} if name not in _OURS]
    faults += [f"“{name}”既对应了列又写了固定内容" for name in profile.columns if name in profile.constants]
    theirs = [header_name(name) for name in profile.columns.values()]
    faults += [f"表里没有“{name}”这一列" for name in profile.columns.values() if header_name(name) not in there]
    faults += [f"表里有两列都叫“{name}”" for name in profile.columns.values() if there.count(header_name(name)) > 1]
    faults += [f"“{name}”用了两次" for name in profile.columns.values() if theirs.count(header_name(name)) > 1]
    faults += [
        f"缺少必填的“{n}”" for n, c in _OURS.items() if c.required and not {n} & {*profile.columns, *profile.constants}
    ]
    for name, cell in profile.constants.items():
        if name in _OURS:
            faults += _constant_faults(_OURS[name], cell)
    if faults:
        raise Misused("bad_profile", "；".join(dict.fromkeys(faults)) + "。请改正对应关系后重试。")


def _constant_faults(column: Column, cell: str) -> list[str]:
    reader = ColumnReader(column)
    value = reader[cell]
    return [f"“{column.name}”的固定内容“{cell}”无效"] if value is None or cell in reader.notes else []


def save(db: Connection, user: User, provider: str, header: Sequence[str], profile: Profile) -> bool:
    """Save a profile for a provider (empty: for everybody) and a header. Returns False when it holds already.

    Raises Misused.
    """
    check(profile, header)
    digest = header_digest(list(header))
    text = canonical({"columns": dict(profile.columns), "constants": dict(profile.constants)})
    last = one(db, "queries/mapping/last.sql", header_sha256=digest, provider=provider)
    if last is not None and last["profile"] == text:
        return False
    said: dict[str, Any] = {"provider": provider, "header_sha256": digest, "profile": text}
    reference = f"{provider}:{digest}:{last['times'] + 1 if last else 1}"
    with acts.act(db, KIND, reference, user.name, said) as act:
        run_file(db, "queries/mapping/save.sql", act_id=act.act_id, header="\x1f".join(header).rstrip("\x1f"), **said)
    return True
