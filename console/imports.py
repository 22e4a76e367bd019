"""`cvl import`: take the month's invoices and say how every row ended."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from sqlalchemy import Engine

from console.answer import Answer
from console.chinese import DAY, FILE, MONTH, argument, flag, option
from console.door import Verb
from console.problems import problem_lines
from console.progress import watched
from console.registers import together
from importers import accept, bundles, expand, returns
from importers.accept import Asked
from importers.outcome import WORDS, Outcome, outcome_data
from voucher import access, uscc
from voucher.access import User
from voucher.database import run
from voucher.errors import CvlError, Misused, Refused

SMALL_BYTES = 1 << 20
"""Up to this size of a file its accepted invoices are counted for people."""
NUMBERS_SHOWN = 3
"""So many of the numbers that wait are named."""


def import_files(
    engine: Engine, as_user: str | None, files: Sequence[Path], *, dry_run: bool, provider: str | None,
    service_month: str | None, received_on: date | None, return_file: Path | None, invoice: str | None,
    usage: str | None, as_json: bool,
) -> Answer:  # fmt: skip
    """Import invoice files one after another; each is an act of its own."""
    user = run(engine, lambda db: access.require(db, as_user, "import"), "cvl_auditor")
    if provider is not None and uscc.check(provider := uscc.normal(provider)) == "bad":
        raise Misused("bad_uscc", f"--provider：“{provider}”不是有效的统一社会信用代码，请照营业执照核对18位代码。")
    asked = accept.ask(user, provider, service_month, received_on, invoice, usage)
    single = len(files) == 1 and not expand.is_bundle(files[0])
    if single:
        return import_one(engine, user, asked, files[0], dry_run=dry_run, return_file=return_file, listing=as_json)
    if asked.usage == "replace":
        raise Misused(
            "one_replaces",
            "--usage replace 一次只能更正一份文件，否则后一份会取代前一份。请逐份导入；"
            "一份账单分成几个文件的，第一个用 --usage replace，其余用 --usage add。",
        )
    way = bundles.Way(engine, user, asked, dry_run, listing=as_json)
    endings = [(shown, ending) for file in files for shown, ending in endings_of(way, file)]
    if not endings:
        raise Misused("no_file", f"{'、'.join(map(str, files))} 里没有可以导入的文件。请核对路径。")
    answers = [_answer(shown, ending, dry_run) for shown, ending in endings]
    text = [line for answer in answers for line in (*answer.text, "")]
    text += _summed([ending for _, ending in endings])
    if return_file is not None:
        text += _written(return_file, [(shown, each) for shown, each in endings if isinstance(each, Outcome)])
    return Answer({"uploads": [answer.data for answer in answers]}, text, together([a.status for a in answers]))


def endings_of(way: bundles.Way, file: Path) -> Iterator[tuple[str, bundles.Ending]]:
    """Import one of several files, or the members of a folder or zip, each named as people know it."""
    for member, ending in bundles.import_members(way, file):
        yield str(file if member.source == file else (file if file.is_dir() else file.parent) / member.name), ending


def _answer(shown: str, ending: bundles.Ending, dry_run: bool) -> Answer:
    if isinstance(ending, CvlError):
        data = {"file": shown, "error": {"code": ending.code, "message": ending.message}}
        return Answer(data, [f"{shown}：{ending.message}"], ending.exit_status)
    lines = outcome_lines(Path(shown), ending, dry_run, None)
    return Answer({"file": shown, **outcome_data(ending)}, lines, ending.exit_status)


def _summed(endings: Sequence[bundles.Ending]) -> list[str]:
    """Sum up how many files ended."""
    taken = [each for each in endings if isinstance(each, Outcome) and each.exit_status != 1]
    sums = {name: sum(each.counts[name] for each in taken) for name in WORDS}
    counts = "，".join(f"{WORDS[name]}{number}行" for name, number in sums.items() if number)
    lines = [f"合计{len(endings)}个文件，{sum(each.rows for each in taken)}行" + (f"：{counts}。" if counts else "。")]
    if len(taken) < len(endings):
        lines[0] += f"另有{len(endings) - len(taken)}个文件整份没有导入，原因见上。"
    return lines


def _written(path: Path, outcomes: Sequence[tuple[str, Outcome]]) -> list[str]:
    """Write the return files of many files and say where they are."""
    parts = [(Path(shown).name, each.header, each.failing, each.problems) for shown, each in outcomes]
    written: list[tuple[Path, int]] = []
    with _return_file():
        written = returns.write_all(path, parts)
    return [f"未受理的{rows}行已写入 {target}，改正后可直接用 cvl import 重新导入。" for target, rows in written]


@contextmanager
def _return_file() -> Iterator[None]:
    """Say that a return file cannot be written; what the import did stands, and so does its answer."""
    try:
        yield
    except Refused as refused:
        said = f"没有写出退回文件：{refused.message}再导入一次同一文件即可取得，不会重复计算。"
        print(said, file=sys.stderr)


def import_one(
    engine: Engine, user: User, asked: Asked, file: Path, *, dry_run: bool = False,
    return_file: Path | None = None, listing: bool = False, quiet: bool = False,
) -> Answer:  # fmt: skip
    """Import one file, write its return file if asked to, and say how it ended."""
    listing = listing or (file.is_file() and file.stat().st_size <= SMALL_BYTES)
    with watched(file, quiet=quiet) as progress:
        outcome = accept.import_file(engine, file, user, asked, dry_run=dry_run, listing=listing, progress=progress)
    written = None
    if return_file is not None and outcome.failing:
        with _return_file():
            returns.write(return_file, outcome.header, outcome.failing, outcome.problems)
            written = return_file
    return Answer(outcome_data(outcome), outcome_lines(file, outcome, dry_run, written), outcome.exit_status)


def outcome_lines(file: Path, outcome: Outcome, dry_run: bool, written: Path | None) -> list[str]:
    """Write how a file ended for people."""
    if outcome.exit_status == 1:
        return [f"{file}：整份文件没有导入。", *problem_lines(outcome.problems)]
    counts = "，".join(f"{WORDS[name]}{number}行" for name, number in outcome.counts.items() if number)
    lines = [f"{file}：共{outcome.rows}行" + (f"，其中{counts}。" if counts else "。")]
    if dry_run:
        lines[0] += "（试运行，没有写入任何数据）"
    elif not outcome.fresh:
        lines[0] += f"（同一文件早已导入，结果不变，上传号 {outcome.upload_id}）"
    else:
        lines[0] += f"（上传号 {outcome.upload_id}）"
    taken = [row["accepted_no"] for row in outcome.invoices if row["accepted_no"] is not None]
    if taken and not dry_run:
        lines.append(f"  受理发票{len(taken)}张，受理号 {min(taken)} 至 {max(taken)}。")
    lines += problem_lines(outcome.problems)
    waiting = [row for row in outcome.failing if row["outcome"] in ("held", "conflict") and row["invoice_number"]]
    if waiting and not dry_run:
        numbers = {row["invoice_number"] for row in waiting}
        lines.append(f"  待核、冲突的{len(numbers)}张发票，缺什么、下一步用哪条命令：")
        lines += [f"    cvl invoice show {number}" for number in sorted(numbers)[:NUMBERS_SHOWN]]
        if len(numbers) > NUMBERS_SHOWN:
            lines.append("    ……其余见 cvl invoice list --status held 和 --status conflict")
    if written is not None:
        lines.append(f"  未受理的{len(outcome.failing)}行已写入 {written}，改正后可直接用 cvl import 重新导入。")
    elif outcome.failing and outcome.exit_status == 3:
        lines.append("  未受理的各行可用 --return-file 退回.xlsx 取出，改正后直接重新导入。")
    return lines


VERBS = (
    Verb(
        "import",
        import_files,
        "导入发票文件：模板或税务局全量发票导出（csv、xlsx），数电票 XML、OFD、PDF，装有它们的 zip 或文件夹；\n"
        "以及用量明细：FOCUS（csv、parquet）和各家云的账单明细。\n"
        "每一行都有结果：受理、重复、冲突、退回或待核，合计等于读到的行数。同一文件重复导入不会重复计算。\n"
        "全部受理或重复时退出码为 0，有行需要处理时为 3，整份文件读不了时为 1。",
        [
            argument("files", "文件", FILE, several=True),
            flag("--dry-run", help="只检查，不写入"),
            option("--provider", help="报送的服务商（统一社会信用代码），用来核对销售方", shown="信用代码"),
            option("--service-month", kind=MONTH, help="发票没有写服务期间时，按这个月计"),
            option("--received-on", kind=DAY, help="申报日，只有经办人员可以填更早的日期"),
            option("--invoice", help="用量明细：没有写发票号码的行属于这张发票", shown="发票号码"),
            option("--usage", help="用量明细：add 补充已有的用量，replace 更正并取代以前的用量", shown="add|replace"),
            option("--return-file", kind=FILE, help="把未受理的行连同原因写成一份 xlsx", shown="退回.xlsx"),
        ],
        acting=True,
        tells_json=True,
    ),
)
