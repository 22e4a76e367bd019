"""`cvl demo`: the whole walk on the examples, in a ledger of its own that can be looked at afterwards."""

import os
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from console import (
    audit,
    banks,
    basics,
    demo_bank,
    disclosures,
    imports,
    payments,
    proposals,
    reconcile,
    registers,
    settle,
    users,
)
from console.answer import Answer, yuan
from console.chinese import FILE, option
from console.door import Verb
from importers import accept
from importers.outcome import OUTCOMES, WORDS
from reconciliation import bank
from voucher import access, database, embedded
from voucher.database import one, run
from voucher.errors import Broken, CvlError, Refused
from voucher.money import parse_yuan

MARKER = ".made-by-cvl-demo"
"""Lies in a home that a demo made: only such a home is ever removed."""
Step = Mapping[str, Any]


@dataclass
class Walk:
    """What has happened so far. months: month to sentences; imported: month to file and row counts."""

    folder: Path
    examples: Path
    months: dict[str, list[str]] = field(default_factory=dict)
    imported: dict[str, dict[str, int]] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    workbooks: list[Path] = field(default_factory=list)
    returns: list[Path] = field(default_factory=list)
    paid: list[dict[str, Any]] = field(default_factory=list)
    stated: int = 0
    """Batches that an earlier statement of the bank has told of."""

    def bank(self, name: str) -> Path:
        """Give the place of a file that goes to the bank or comes from it."""
        folder = self.folder / "bank"
        folder.mkdir(exist_ok=True, mode=0o700)
        return folder / name


def demo(dir: Path | None) -> Answer:
    """Walk through the examples in a fresh ledger under a folder."""
    folder = (dir or Path("demo-output")).absolute()
    home = folder / "ledger"
    examples = Path(__file__).resolve().parents[1] / "examples"
    manifest = tomllib.loads((examples / "demo.toml").read_text("utf-8"))
    walk = Walk(folder, examples)
    with _environment(CVL_HOME=str(home), CVL_DATABASE_URL=None, CVL_USER=None, CVL_TODAY=None):
        _say(f"正在 {folder} 建立演示账本，约需半分钟……")
        _clear(home)
        with database.opened() as engine:
            _prepare(engine, manifest)
            for step in manifest["steps"]:
                os.environ["CVL_TODAY"] = step["day"].isoformat()
                _STEPS[step["do"]](engine, walk, step)
            agreed = reconcile.reconcile(engine, None)
            bundle = _bundle(engine, walk, manifest)
            interesting = run(engine, lambda db: one(db, "queries/console/interesting.sql"), "cvl_auditor")
    number = interesting["number"] if interesting else ""
    data = _data(walk, home, number, agreed) | {"bundle": str(bundle)}
    return Answer(data, _lines(walk, home, number, agreed, bundle), agreed.status)


def _say(sentence: str) -> None:
    """Talk on standard error."""
    print(sentence, file=sys.stderr, flush=True)


@contextmanager
def _environment(**values: str | None) -> Iterator[None]:
    """Set environment variables (None: unset) and put back what was there."""
    before = {name: os.environ.get(name) for name in values}
    try:
        _set(values)
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _clear(home: Path) -> None:
    """Remove the ledger of an earlier demo, never any other one."""
    if home.exists() and any(home.iterdir()):
        if not (home / MARKER).exists():
            raise Refused("not_a_demo", f"{home} 不是演示建立的账本，没有改动它。请用 --dir 换一个目录。")
        # A server that a killed demo left behind is adopted and stopped before its data go.
        with suppress(CvlError), embedded.running(home):
            pass
        shutil.rmtree(home)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    (home / MARKER).touch()


def _prepare(engine: Engine, manifest: Mapping[str, Any]) -> None:
    """Create the ledger and its users."""
    os.environ["CVL_TODAY"] = manifest["steps"][0]["day"].isoformat()
    basics.init(engine)
    admin = None
    for user in manifest["users"]:
        users.add(engine, admin, user["name"], user["role"], user.get("provider"))
        admin = admin or user["name"]


def _note(walk: Walk, step: Step, sentence: str) -> None:
    walk.months.setdefault(f"{step['day']:%Y-%m}", []).append(sentence)


def _registry(engine: Engine, walk: Walk, step: Step) -> None:
    """Enter a registry file; changed accounts are approved by the second person."""
    answer = registers.import_files(engine, step["user"], [walk.examples / step["file"]])
    said = f"登记 {step['file'].rpartition('/')[2]}：{answer.data['rows']}行"
    if "approver" in step:
        proposals.approve(engine, step["approver"], int(answer.data["proposal"]), None)
        said += f"，变更的收款账户经 {step['approver']} 批准"
    _note(walk, step, said)


def _appropriate(engine: Engine, walk: Walk, step: Step) -> None:
    """Propose an appropriation and have the second person approve it."""
    fen = parse_yuan(step["amount"])
    asked = registers.appropriate(engine, step["user"], step["year"], fen, step["ref"])
    proposals.approve(engine, step["approver"], int(asked.data["act"]), None)
    _note(walk, step, f"{step['year']}年度指标{yuan(fen)}元，{step['user']} 提交，{step['approver']} 批准")


def _import(engine: Engine, walk: Walk, step: Step) -> None:
    """Import one file; what was not taken goes into a return file."""
    file = walk.examples / step["file"]
    user = run(engine, lambda db: access.require(db, step["user"], "import"), "cvl_auditor")
    asked = accept.ask(user, step.get("provider"), step.get("service_month"), step.get("received_on"))
    back = walk.folder / "returns" / f"{file.parent.name}-{file.stem}.xlsx"
    back.parent.mkdir(exist_ok=True)
    back.unlink(missing_ok=True)
    answer = imports.import_one(engine, user, asked, file, return_file=back, quiet=True)
    if answer.data["upload_id"] is None:
        raise Broken("demo_file", f"演示文件 {file.name} 没有读成：{'；'.join(answer.text)}")
    if back.exists():
        walk.returns.append(back)
    counts = walk.imported.setdefault(f"{step['day']:%Y-%m}", dict.fromkeys(("files", "rows", *OUTCOMES), 0))
    counts["files"] += 1
    for name in ("rows", *OUTCOMES):
        counts[name] += answer.data[name]
    walk.months.setdefault(f"{step['day']:%Y-%m}", [])


def _settle(engine: Engine, walk: Walk, step: Step) -> None:
    """Draft, submit, approve by another person, and recompute with the second engine."""
    maker, checker = step["user"], step["approver"]
    drafted = settle.draft(engine, maker, step["through"], backfill=False, programme=None, as_json=True)
    number = int(drafted.data["run"])
    settle.submit(engine, maker, number)
    settle.approve(engine, checker, number, drafted.data["digest"])
    verified = settle.check(engine, number)
    totals, lines = drafted.data["totals"], len(drafted.data["lines"])
    walk.runs.append({"run": str(number), "through": step["through"], "lines": lines, **totals})
    _note(
        walk,
        step,
        f"结算至{step['through']}：{lines}行，补贴额{yuan(parse_yuan(totals['granted']))}元，"
        f"上限核减{yuan(parse_yuan(totals['withheld']))}元，暂缓{len(drafted.data['held'])}笔；"
        f"{maker} 提交，{checker} 批准，{'复算逐分一致' if not verified.status else '复算不一致'}",
    )


def _disclose(engine: Engine, walk: Walk, step: Step) -> None:
    """Put a run before the public."""
    shown = disclosures.disclose(engine, step["user"], step["run"], None).data
    _note(walk, step, f"公示结算批次 {step['run']}：{len(shown['lines'])}家企业，{shown['from']} 至 {shown['until']}")


def _pay(engine: Engine, walk: Walk, step: Step) -> None:
    """Propose a batch, have it approved by another person, and write it for the bank in both formats."""
    made = payments.batch(engine, step["user"], step["run"]).data
    proposals.approve(engine, step["approver"], int(made["act"]), None)
    batch = int(made["batch"])
    profile = str(walk.examples / "bank.toml")
    for format, suffix in (("bank-csv", "csv"), ("pain001", "xml")):
        payments.export(engine, step["user"], batch, format, profile, walk.bank(f"pay-{len(walk.paid) + 1}.{suffix}"))
    walk.paid.append({"run": str(step["run"]), "batch": made["batch"], "amount": made["amount"]})
    why = "、".join(dict.fromkeys(each["sentence"].rstrip("。") for each in made["left_out"]))
    left = f"，{len(made['left_out'])}行未列入（{why}）" if made["left_out"] else ""
    _note(
        walk,
        step,
        f"拨付结算批次 {step['run']}：{made['count']}笔，{yuan(parse_yuan(made['amount']))}元{left}；"
        f"{step['user']} 提交，{step['approver']} 批准，导出 csv 与 pain.001",
    )


def _result(engine: Engine, walk: Walk, step: Step) -> None:
    """Take in what the bank answers to the last batch."""
    place = len(walk.paid)
    file = walk.bank(f"result-{place}.csv")
    demo_bank.answer(walk.bank(f"pay-{place}.csv"), file, step["day"], step.get("returned"))
    told = payments.result(engine, step["user"], file, None).data
    walk.paid[-1] |= {"paid": told["paid"], "returned": told["returned"]}
    _note(walk, step, f"银行回执：已付{told['paid']}笔" + (f"，退回{told['returned']}笔" if told["returned"] else ""))


def _statement(engine: Engine, walk: Walk, step: Step) -> None:
    """Take in the bank's statement of what was paid since the last one, and tell how all was matched."""
    places = range(walk.stated + 1, len(walk.paid) + 1)
    walk.stated = len(walk.paid)
    file = walk.bank(f"statement-{step['day']}.csv")
    payouts, results = ([walk.bank(f"{kind}-{place}.csv") for place in places] for kind in ("pay", "result"))
    demo_bank.statement(payouts, results, file)
    rows = banks.take(engine, step["user"], file, None).data["rows"]
    found = banks.show(engine, bank.USUAL.tolerance_fen, bank.USUAL.days, None).data
    ways = "，".join(f"{bank.WAYS[each['way']]}{each['payments']}笔" for each in found["matched"])
    _note(walk, step, f"银行对账单{rows}行；至今匹配：{ways}，未匹配{len(found['leftovers'])}项")


def _report(engine: Engine, walk: Walk, step: Step) -> None:
    """Write a report as a workbook."""
    out = walk.folder / f"{step['name']}-{step['period']}.xlsx"
    answer = reconcile.report(engine, step["user"], step["name"], step["period"], "xlsx", out, list=False)
    walk.workbooks.append(out)
    _note(walk, step, f"月度对账表 {out.name}，{'核对一致' if not answer.status else '有差异'}")


def _reconcile(engine: Engine, walk: Walk, step: Step) -> None:
    """Run every check."""
    answer = reconcile.reconcile(engine, None)
    _note(walk, step, f"核对账目：{answer.data['checks']}项检查{'全部通过' if not answer.status else '有差异'}")


def _bundle(engine: Engine, walk: Walk, manifest: Mapping[str, Any]) -> Path:
    """Export the audit bundle and verify it. Raises Broken when it does not verify."""
    auditor = next(user["name"] for user in manifest["users"] if user["role"] == "auditor")
    out = walk.folder / "audit.zip"
    audit.export(engine, auditor, out)
    verified = audit.verify((out,), None)
    if verified.status:
        raise Broken("demo_bundle", f"演示的审计包没有通过核验：{verified.text[0]}")
    return out


_STEPS = {
    "registry": _registry, "appropriate": _appropriate, "import": _import, "settle": _settle,
    "disclose": _disclose, "pay": _pay, "result": _result, "statement": _statement, "report": _report,
    "reconcile": _reconcile,
}  # fmt: skip
"""Kind of step in demo.toml to what it does."""


def _data(walk: Walk, home: Path, number: str, agreed: Answer) -> dict[str, Any]:
    """Write what happened as JSON."""
    return {
        "dir": str(walk.folder), "home": str(home), "imports": walk.imported, "runs": walk.runs,
        "workbooks": [str(path) for path in walk.workbooks], "returns": [str(path) for path in walk.returns],
        "payments": walk.paid, "explain": number, "ok": agreed.data["ok"],
    }  # fmt: skip


def _lines(walk: Walk, home: Path, number: str, agreed: Answer, bundle: Path) -> list[str]:
    """Write what happened, month by month, and where to look next."""
    text = ["演示走完全程：登记 → 导入 → 结算 → 公示 → 拨付 → 对账 → 审计包。数据全部为合成，银行由程序扮演。", ""]
    for month, sentences in sorted(walk.months.items()):
        counts = walk.imported.get(month)
        if counts:
            words = "，".join(f"{WORDS[n]}{counts[n]}行" for n in OUTCOMES if counts[n])
            sentences = [f"导入{counts['files']}个文件、{counts['rows']}行：{words}", *sentences]
        text += [f"{month}  {sentences[0]}", *(f"         {each}" for each in sentences[1:])]
    granted = sum(parse_yuan(each["granted"]) for each in walk.runs)
    text += ["", f"合计补贴额 {yuan(granted)} 元。{agreed.text[0]}", ""]
    text += [f"对账表    {path}" for path in walk.workbooks[-1:]]
    text.append(f"银行文件  {walk.folder / 'bank'}（付款文件 csv 与 pain.001、银行回执、对账单；账号只在这里出现）")
    text.append(f"审计包    {bundle}（已核验；解压后用 sha256sum 也能核对，办法见其中的 HOW-TO-CHECK.md）")
    if walk.returns:
        text.append(f"退回文件  {walk.returns[0].parent}（{len(walk.returns)}份，每行写明原因，改正后可直接导入）")
    text += [
        "",
        "在这个演示账本里继续查看：",
        f"  export CVL_HOME={shlex.quote(str(home))}",
        *(f"  {_program()} {words}" for words in (f"explain {number}", *_LOOK_AROUND)),
    ]
    return text


_LOOK_AROUND = ("settle show 2", "pay list", "bank list", "invoice list --status rejected", "balance money:")


def _program() -> str:
    """Name the command as it was called, so that the line printed can be typed as it stands."""
    called = Path(sys.argv[0])
    return shlex.quote(str(called)) if called.name == "cvl" and len(called.parts) > 1 else "cvl"


VERBS = (
    Verb(
        "demo",
        demo,
        "用随附的合成数据走一遍全程，约半分钟。\n在自己的目录里新建账本，不影响正式账本；每次运行结果相同。",
        [option("--dir", kind=FILE, help="放在哪个目录，默认 demo-output", shown="目录")],
        database=False,
    ),
)
