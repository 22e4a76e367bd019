"""Click in Chinese: help pages, usage errors and the kinds of values that options take."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click
from click import exceptions as wrong

from console.answer import pairs
from voucher import entry


class Kind(click.ParamType[Any]):
    """A kind of value with its own Chinese sentence for what does not fit."""

    def __init__(self, name: str, read: Any, says: str) -> None:
        self.name = name
        self._read = read
        self._says = says

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a value; one that was read before stays as it is."""
        if not isinstance(value, str):
            return value
        try:
            return self._read(value.strip())
        except ValueError:
            return self._refuse(value, param, ctx)

    def _refuse(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> NoReturn:
        self.fail(self._says.format(value=value), param, ctx)


def _of(kind: entry.Kind) -> Kind:
    return Kind(kind.name, kind.read, kind.says)


YUAN, DAY, MONTH = _of(entry.YUAN), _of(entry.DAY), _of(entry.MONTH)
YEAR, NUMBER, TEXT = _of(entry.YEAR), _of(entry.NUMBER), _of(entry.TEXT)
FILE = Kind("文件", Path, "")


class OneOf(Kind):
    """One of a few words."""

    def __init__(self, name: str, words: Sequence[str]) -> None:
        super().__init__(name, self._choose, f"没有“{{value}}”这一项，可选：{'、'.join(words)}")
        self.words = tuple(words)

    def _choose(self, text: str) -> str:
        if text not in self.words:
            raise ValueError(text)
        return text


def option(
    *names: str, kind: Kind = TEXT, help: str = "", required: bool = False, shown: str = "", default: str | None = None
) -> click.Option:
    """Make an option that takes a value. shown: what stands for the value in the help."""
    # To click, a default of None is one that satisfies `required`.
    given: dict[str, Any] = {} if default is None else {"default": default}
    return click.Option(names, type=kind, help=help, required=required, metavar=shown or kind.name, **given)


def as_of() -> click.Option:
    """Make the option that asks about an earlier moment."""
    return option("--as-of", help="截至的日期或时间，例如 2026-08-31", shown="时间")


def flag(*names: str, help: str) -> click.Option:
    """Make an option without a value."""
    return click.Option(names, is_flag=True, help=help)


def argument(
    name: str, shown: str, kind: Kind = TEXT, *, required: bool = True, several: bool = False
) -> click.Argument:
    """Make a positional argument; shown stands for it in the help, in brackets when it may be left out."""
    name_shown = shown + ("…" if several else "")
    return click.Argument(
        [name],
        type=kind,
        required=required,
        nargs=-1 if several else 1,
        metavar=name_shown if required else f"[{name_shown}]",
    )


class _Page:
    """The parts of a help page that commands and groups share."""

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Offer --help with a Chinese text."""
        offered = super().get_help_option(ctx)  # type: ignore[misc]
        if offered is not None:
            offered.help = "显示本说明"
        return offered  # type: ignore[no-any-return]

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the first line."""
        pieces = " ".join(self.collect_usage_pieces(ctx))  # type: ignore[attr-defined]
        formatter.write(f"用法：{ctx.command_path} {pieces}\n")

    def format_help_text(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sentences."""
        text = getattr(self, "help", None) or ""
        formatter.write("\n" + "\n".join(text.splitlines()) + "\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, aligned by what a terminal shows."""
        records = [record for param in self.get_params(ctx) if (record := _record(param))]  # type: ignore[attr-defined]
        formatter.write("\n选项：\n" + "\n".join(pairs(records, indent="  ")) + "\n")


def _record(param: click.Parameter) -> tuple[str, str] | None:
    """Write one option for the help page."""
    if not isinstance(param, click.Option) or param.hidden:
        return None
    value = "" if param.is_flag else f" {param.metavar}"
    choice = f"；可选 {'、'.join(param.type.words)}" if isinstance(param.type, OneOf) else ""
    return ", ".join(param.opts) + value, (param.help or "") + choice + ("（必填）" if param.required else "")


class Command(_Page, click.Command):
    """A command with a Chinese help page."""

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """List what the command line consists of, required options spelt out."""
        pieces = [piece for param in self.get_params(ctx) for piece in param.get_usage_pieces(ctx)]
        needed = [
            f"{param.opts[0]} {param.metavar}"
            for param in self.get_params(ctx)
            if isinstance(param, click.Option) and param.required
        ]
        return [*pieces, *needed, "[选项]"]


class Group(_Page, click.Group):
    """A group of commands with a Chinese help page. sections: title to commands in order, each with its few words."""

    sections: Mapping[str, Mapping[str, str]] | None = None

    def collect_usage_pieces(self, _ctx: click.Context) -> list[str]:
        """List what the command line consists of."""
        return ["命令", "[选项]"]

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """List the commands in the order in which they were added."""
        return list(self.commands)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, section by section."""
        columns = max(map(len, self.commands))
        every = {name: (command.help or "").split("\n")[0] for name, command in self.commands.items()}
        for title, words in (self.sections or {"命令": every}).items():
            entries = [(name.ljust(columns), says) for name, says in words.items()]
            formatter.write(f"\n{title}：\n" + "\n".join(pairs(entries, indent="  ")) + "\n")
        formatter.write(f"\n每个命令的用法：{ctx.command_path} 命令 --help\n")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one is refused with the nearest names."""
        name = args[0]
        if " ".join(args[:2]) in self.commands and len(args) > 1:
            args = [" ".join(args[:2]), *args[2:]]
            name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            near = difflib.get_close_matches(name, self.commands, n=3)
            hint = f"是不是想用 {'、'.join(near)}？" if near else "可用的命令见 --help。"
            ctx.fail(f"没有“{ctx.command_path} {name}”这个命令。{hint}")
        return super().resolve_command(ctx, args)


def sentence(error: click.ClickException) -> str:
    """Say in Chinese what is wrong with a command line."""
    if isinstance(error, wrong.NoSuchOption):
        near = f"是不是想用 {'、'.join(error.possibilities)}？" if error.possibilities else ""
        return f"没有选项 {error.option_name}。{near}"
    if isinstance(error, wrong.MissingParameter):
        kind = "选项" if isinstance(error.param, click.Option) else "参数"
        return f"缺少{kind} {_named(error.param)}。"
    if isinstance(error, wrong.BadParameter):
        return f"{_named(error.param)}：{error.message}。"
    if isinstance(error, wrong.BadOptionUsage):
        return f"选项 {error.option_name} 的写法不对：需要一个值，或不能带值。"
    if error.message.startswith("Got unexpected extra argument"):
        return f"多余的参数：{error.message.partition('(')[2].removesuffix(')')}。"
    return error.message


def _named(param: click.Parameter | None) -> str:
    """Name a parameter as the help does."""
    if param is None:
        return "命令行"
    return param.opts[0] if isinstance(param, click.Option) else str(param.metavar).strip("[]")
