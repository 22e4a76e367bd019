"""Run one command: open the database, do its work, print its answer, turn failures into an exit status."""

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from types import FrameType
from typing import Any

import click

from console import logs
from console.answer import Answer
from console.chinese import Command, flag, option, sentence
from voucher.errors import CvlError, Unreachable, cause

INTERRUPTED = 130
UNEXPECTED = 70


@dataclass(frozen=True, slots=True)
class Verb:
    """A command. path: its words ("user add"). run: what it does, given an engine and its parameters by name.

    acting: it takes --as. database: it is given an engine. creates: it may run before `cvl init` did.
    tells_json: it is told by `as_json` what will be printed, because one of the two is costly.
    """

    path: str
    run: Callable[..., Answer]
    help: str
    params: Sequence[click.Parameter] = field(default_factory=tuple)
    acting: bool = False
    database: bool = True
    creates: bool = False
    tells_json: bool = False


def command(verb: Verb) -> Command:
    """Make the click command of a verb."""

    def call(**params: Any) -> int:
        as_json = bool(params.pop("json"))
        if verb.tells_json:
            params["as_json"] = as_json
        who = params.pop("as_user") if unasked else params.get("as_user")
        with logs.command(verb.path, who or os.environ.get("CVL_USER")) as ended:
            answer = _answer(verb, params)
            ended(answer)
        return show(answer, as_json)

    params = list(verb.params)
    # A reading command asks nobody who acts; told so, as CVL_USER tells every command, it notes it in the log alone.
    unasked = not verb.acting and all(each.name != "as_user" for each in params)
    if verb.acting or unasked:
        by = option("--as", "as_user", help="由谁办理；不写则取环境变量 CVL_USER", shown="用户名")
        by.hidden = unasked
        params.append(by)
    params.append(flag("--json", help="只输出一个 JSON 文档"))
    return Command(verb.path.rsplit(" ", 1)[-1], callback=call, params=list(params), help=verb.help)


def _answer(verb: Verb, params: Mapping[str, Any]) -> Answer:
    """Do a verb's work, on the database if it needs one."""
    if not verb.database:
        return verb.run(**params)
    with ledger(creates=verb.creates) as engine:
        return verb.run(engine, **params)


@contextmanager
def ledger(*, creates: bool = False) -> Iterator[Any]:
    """Open the database of this process. Raises Unreachable when there is none yet and it may not be created."""
    from voucher import database, embedded  # a page of help needs no driver, which is half of the time to start
    from voucher.embedded_site import site_of

    own = not os.environ.get("CVL_DATABASE_URL")
    if own and not creates and not (site_of(embedded.home_dir()).data / "PG_VERSION").exists():
        raise Unreachable("not_initialised", f"数据库尚未建立（{embedded.home_dir()}）。请先运行 cvl init。")
    with database.opened() as engine:
        yield engine


def show(answer: Answer, as_json: bool) -> int:
    """Print an answer to standard output; a reader that has gone away is no error, a full disk is something to look at.

    Either way the work itself is done, which no exit status of a refusal may deny.
    """
    try:
        if as_json:
            print(written(answer.data))
        else:
            print("\n".join(answer.text))
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered would raise again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"命令已经办完，但结果写不到标准输出（{cause(error)}）。请清理磁盘后用查询命令查看。", file=sys.stderr)
        return answer.status or 3
    return answer.status


def written(data: object) -> str:
    """Write a JSON document: indented for a terminal, on one line for a program."""
    return json.dumps(data, ensure_ascii=False, default=_plain, indent=2 if sys.stdout.isatty() else None)


def _plain(value: object) -> str:
    """Write days and times as ISO."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(type(value))


def guarded(made: Callable[[], click.Command], arguments: Sequence[str]) -> int:
    """Make the program and run it on a command line; return the exit status. Every failure is said in Chinese."""
    as_json = "--json" in arguments
    try:
        with _termination_as_exit():
            status = made().main(list(arguments), prog_name="cvl", standalone_mode=False)
            return int(status or 0)
    except CvlError as error:
        return refuse(error.code, error.message, error.exit_status, as_json)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.ctx.get_help() if error.ctx else "", file=sys.stderr)
        return 2
    except click.ClickException as error:
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "cvl"
        said = f"{sentence(error)}用法见 {where} --help。"
        return refuse("usage", said, 2, as_json)
    except (KeyboardInterrupt, click.Abort):
        return refuse("interrupted", "已中断，未完成的部分没有入账。", INTERRUPTED, as_json)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("CVL_DEBUG"):
            traceback.print_exc()
        first = (str(error).splitlines() or [""])[0]
        said = (
            f"程序出现意外错误（{type(error).__name__}：{first}），没有办完的部分不会入账。"
            "请设置环境变量 CVL_DEBUG=1 重试一次，把显示的内容交给系统管理员。"
        )
        return refuse("unexpected", said, UNEXPECTED, as_json)


def refuse(code: str, message: str, status: int, as_json: bool) -> int:
    """Say why a command was refused; return its exit status."""
    if as_json:
        print(written({"error": {"code": code, "message": message}}), flush=True)
    else:
        print(message, file=sys.stderr)
    return status


@contextmanager
def _termination_as_exit() -> Iterator[None]:
    """Let SIGTERM end the program by way of its finally clauses, so that nothing is left behind."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    main_thread = threading.current_thread() is threading.main_thread()
    if sys.platform == "win32" or not main_thread or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    try:
        signal.signal(signal.SIGTERM, leave)
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
