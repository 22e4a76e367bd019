"""Render pages: the templates, and how money, days and moments are written."""

import hashlib
import re
from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from portal import words
from portal.page import SAID, Visit, status_of
from reconciliation import document
from voucher import access
from voucher.days import ZONE
from voucher.money import format_yuan
from voucher.reasons import sentences

HERE = Path(__file__).parent
_COMMAND = r"(?:^(?=--)|(?<=[一-龥（：，])|(?<=[一-龥（：，] ))(?:cvl [a-z]|--[a-z][a-z-]*(?![\w.-]))"
_ASIDE, _CLAUSE = re.compile(rf"（[^（）]*{_COMMAND}[^（）]*）"), re.compile("[^。；]*[。；]?")
"""What speaks of the command line, as our sentences write it: a file may be called `a--b.csv` or `cvl 月报.csv`."""


@cache
def asset(name: str) -> str:
    """Name a file of ours with the digest of its bytes, so that it may be kept for ever."""
    digest = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]
    stem, _, suffix = name.rpartition(".")
    return f"/static/{stem}.{digest}.{suffix}"


@pass_context
def money(context: Context, fen: int | None) -> str:
    """Write fen as people read it: ¥1,234.56, or 万元 when they asked for that; nothing for None."""
    if fen is None:
        return ""
    if not context["visit"].wan:
        return f"{'-' if fen < 0 else ''}¥{format_yuan(abs(fen), grouped=True)}"
    whole, rest = divmod(abs(fen) + 5_000, 1_000_000)
    return f"{'-' if fen < 0 else ''}{whole:,}.{rest // 10_000:02d}万"


@pass_context
def cells(context: Context, row: Sequence[document.Value], columns: Sequence[document.Column]) -> Markup:
    """Write the cells of a report's row, the first one as its head; macros cell by cell take ten times as long."""
    written = []
    for place, (column, value) in enumerate(zip(columns, row, strict=True)):
        text = money(context, cast(int | None, value)) if column.type == "money" else document.show(column, value)
        start, end = ("<td", "</td>") if place else ('<th scope="row"', "</th>")
        kind, unit = ("money", "%" if text else "") if column.type == "percent" else (column.type, "")
        written.append(f'{start} class="{kind}">{escape(text)}{unit}{end}')
    return Markup("".join(written))  # every value was escaped


def moment(at: datetime | None) -> str:
    """Write a time as the clock in Chongqing shows it."""
    return "" if at is None else _time(f"{at.astimezone(ZONE):%Y-%m-%d %H:%M}")


def day(on: date | None) -> str:
    """Write a day as ISO."""
    return "" if on is None else _time(on.isoformat())


def _time(text: str) -> Markup:
    """Mark a day or a time, so that it is never broken over two lines."""
    return Markup("<time>{}</time>").format(text)


def month(on: date) -> str:
    """Write the month of a day."""
    return f"{on:%Y-%m}"


def why(reasons: Any) -> str:
    """Write stored reasons as sentences."""
    return sentences(reasons)


def plainly(message: str) -> str:
    """Leave out of a sentence what only helps at the command line."""
    left = "".join(each for each in _CLAUSE.findall(_ASIDE.sub("", message)) if not re.search(_COMMAND, each)).strip()
    return re.sub("；$", "。", left) or message


def percent(basis_points: int) -> str:
    """Write basis points as percent."""
    return f"{basis_points // 100}.{basis_points % 100:02d}%"


def short(sha256: str) -> Markup:
    """Write a digest in groups that can be compared by eye."""
    return Markup("<code class=digest>{}</code>").format(" ".join(sha256[i : i + 8] for i in range(0, len(sha256), 8)))


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters |= {
        "cells": cells,
        "money": money, "percent": percent, "moment": moment, "month": month, "day": day,
         "why": why, "plainly": plainly, "short": short,
        "account": words.account, "act": words.act,
    }  # fmt: skip
    made.globals |= {"asset": asset, "ROLES": access.ROLES}
    return made


TEMPLATES = _environment()


def show(visit: Visit, template: str, status: int = 200, **what: Any) -> HTMLResponse:
    """Render a template; what a redirect left to be said is said once."""
    if visit.fault is not None and status == 200:
        status = status_of(visit.fault)
    text = TEMPLATES.get_template(template).render(visit=visit, **what)
    answer = HTMLResponse(text, status)
    if visit.said:
        answer.delete_cookie(SAID)
    return answer
