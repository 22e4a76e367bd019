"""`cvl import map`: say once how a provider's own sheet is to be read."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from sqlalchemy import Connection, Engine

from console.answer import Answer
from console.chinese import FILE, argument, option
from console.door import Verb
from importers import guard, mapping
from importers.guess import NAMES
from importers.mapping import Profile
from voucher import access, uscc
from voucher.database import run
from voucher.errors import Misused, Refused


def save(engine: Engine, as_user: str | None, file: Path, provider: str | None, toml: Path | None) -> Answer:
    """Map a sheet: from a TOML file, or asking column by column; without either only show the guesses."""
    user = run(engine, lambda db: access.require(db, as_user, "import map"), "cvl_auditor")
    if user.role == "provider":
        if provider not in (None, user.provider_uscc):
            raise Refused("not_your_file", "服务商只能为本单位的表建立对应关系。请去掉 --provider。")
        provider = user.provider_uscc
    if provider is not None and uscc.check(provider := uscc.normal(provider)) == "bad":
        raise Misused("bad_uscc", f"--provider：“{provider}”不是有效的统一社会信用代码，请照营业执照核对18位代码。")
    header, guesses = _header(file)
    if toml is not None:
        profile = mapping.read_profile(_text(toml))
    elif sys.stdin.isatty():
        profile = _asked(header, guesses)
    else:
        shown = mapping.write_profile(Profile(guesses, {"发票类型": "蓝字"} if "发票类型" not in guesses else {}))
        text = [*shown.splitlines(), "", "以上是猜测，没有保存。核对并补齐后存为文件，再用 --toml 文件 保存。"]
        return Answer({"state": "guessed", "guesses": guesses, "toml": shown}, text, 3)

    def work(db: Connection) -> bool:
        return mapping.save(db, user, provider or "", header, profile)

    fresh = run(engine, work)
    data = {"state": "saved" if fresh else "unchanged", "columns": dict(profile.columns)}
    whose = f"服务商 {provider} 的" if provider else "所有服务商的"
    then = f"表头相同的文件今后直接 cvl import 即可{'（须写明同一 --provider）' if provider else ''}。"
    return Answer(data, [f"{'已保存' if fresh else '早已保存'}{whose}对应关系，{len(profile.columns)}列。{then}"])


def _header(file: Path) -> tuple[list[str], dict[str, str]]:
    """Read the header of a sheet behind the guard. Raises Misused."""
    if not file.is_file():
        raise Misused("no_file", f"找不到文件 {file}，或它不是普通文件。请核对路径。")
    problems = guard.check_size(file) or guard.check_file(file)
    kind = guard.kind_by_content(file)
    if problems or kind not in ("csv", "xlsx"):
        raise Misused("not_a_table", problems[0].message if problems else "只有 csv 和 xlsx 能建立对应关系。")
    return mapping.header_of(file, kind)


def _text(toml: Path) -> str:
    try:
        return toml.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Misused("no_file", f"无法读取 {toml}，或它不是 UTF-8 文本。") from None


def _asked(header: Sequence[str], guesses: dict[str, str]) -> Profile:
    """Ask column by column; the guess is taken with the return key, `=word` is a constant, `-` leaves it out."""
    click.echo("逐列确认：直接回车用猜测；输入表里的列名；输入 =内容 表示每行固定；输入 - 表示没有。", err=True)
    theirs = [cell.strip() for cell in header if cell.strip()]
    click.echo("表里的列：" + "、".join(theirs), err=True)
    columns, constants = {}, {}
    for ours in NAMES:
        said = click.prompt(ours, default=guesses.get(ours, "-"), err=True).strip()
        while said != "-" and not said.startswith("=") and said not in theirs:
            click.echo(f"表里没有“{said}”这一列。请照抄表里的列名，或输入 =内容、-。", err=True)
            said = click.prompt(ours, default=guesses.get(ours, "-"), err=True).strip()
        if said.startswith("="):
            constants[ours] = said[1:].strip()
        elif said != "-":
            columns[ours] = said
    return Profile(columns, constants)


VERBS = (
    Verb(
        "import map",
        save,
        "为服务商自己的表建立与模板的对应关系，一次即可，以后表头相同的文件自动按它读取。\n"
        "写明 --toml 则照文件保存；在终端上逐列询问；否则只显示猜测、不保存（退出码 3）。",
        [
            argument("file", "文件", FILE),
            option("--provider", help="只用于这一服务商（统一社会信用代码）；不写则所有服务商", shown="信用代码"),
            option("--toml", kind=FILE, help="写好的对应关系"),
        ],
        acting=True,
    ),
)
