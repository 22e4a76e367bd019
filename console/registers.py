"""`cvl registry` and `cvl budget`: what is entered before anything can be settled."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from console import chinese
from console.answer import Answer, table, yuan
from console.chinese import FILE, YEAR, YUAN, argument, option
from console.door import Verb
from console.problems import problem_data, problem_lines
from console.proposed import proposed
from importers.registry import Taken, import_registry
from voucher import access, acts, approval, budget, ledger
from voucher.database import run
from voucher.errors import CvlError
from voucher.money import format_yuan


def import_files(engine: Engine, as_user: str | None, files: Sequence[Path]) -> Answer:
    """Import registry files one after another; each stands or falls by itself."""
    user = run(engine, lambda db: access.require(db, as_user, "registry import"), "cvl_auditor")
    answers = []
    for file in files:
        try:
            answers.append(_answer(file, import_registry(engine, file, user)))
        except CvlError as error:
            if len(files) == 1:
                raise
            data = {"file": str(file), "error": {"code": error.code, "message": error.message}}
            answers.append(Answer(data, [f"{file}：{error.message}"], error.exit_status))
    if len(answers) == 1:
        return answers[0]
    return Answer(
        {"files": [answer.data for answer in answers]},
        [line for answer in answers for line in answer.text],
        together([answer.status for answer in answers]),
    )


def together(statuses: Sequence[int]) -> int:
    """Combine the exit statuses of several files: all alike as they are, otherwise done in part."""
    return statuses[0] if len(set(statuses)) == 1 else 3


def _answer(file: Path, taken: Taken) -> Answer:
    """Say how a registry file ended."""
    refused = taken.exit_status == 1
    data: dict[str, Any] = {
        "file": str(file),
        "kind": taken.kind.name if taken.kind else None,
        "sha256": taken.sha256,
        "rows": taken.rows,
        "state": "refused" if refused else "recorded" if taken.fresh else "unchanged",
        "act_no": None if taken.act_no is None else str(taken.act_no),
        "proposal": None if taken.proposal is None else str(taken.proposal),
        "problems": [problem_data(problem) for problem in taken.problems],
    }
    title = taken.kind.title if taken.kind else "登记文件"
    if refused:
        first = next(problem for problem in taken.problems if problem.severity != "warning")
        data["error"] = {"code": first.code, "message": first.message}
        text = [f"{file}（{title}）：没有登记，整份文件未写入。请按下面的说明改正后重新导入。"]
    elif taken.fresh:
        text = [f"{file}（{title}）：已登记{taken.rows}行。"]
    else:
        text = [f"{file}（{title}）：与最近一次登记的内容相同，没有改动。"]
    text += problem_lines(taken.problems)
    if taken.proposal is not None:
        text.append(
            f"其中有银行账户变更，须由复核人员批准后生效（内容见 cvl proposals {taken.proposal}）："
            f"cvl approve {taken.proposal} --as 复核人员"
        )
    return Answer(data, text, taken.exit_status)


def appropriate(engine: Engine, as_user: str | None, year: int, amount: int, ref: str) -> Answer:
    """Propose an appropriation of a fiscal year."""

    def work(db: Any) -> approval.Proposal:
        user = access.require(db, as_user, "budget appropriate")
        return approval.find(db, ledger.propose_appropriation(db, user, year, amount, ref))

    return proposed(run(engine, work), year=year, amount=format_yuan(amount), reference=ref)


def close(engine: Engine, as_user: str | None, year: int) -> Answer:
    """Propose to close a fiscal year."""

    def work(db: Any) -> approval.Proposal:
        return approval.find(db, budget.propose_close(db, access.require(db, as_user, "budget close"), year))

    return proposed(run(engine, work), year=year)


def years(engine: Engine, as_of: str | None) -> Answer:
    """List the fiscal years and what is left of their money."""
    rows = run(engine, lambda db: budget.years(db, acts.cutoff(db, as_of)), "cvl_auditor")
    sums = ("appropriated", "granted", "back", "returned", "left")
    data = {
        "as_of": as_of,
        "years": [
            {"year": r["year"], **{name: format_yuan(r[f"{name}_fen"]) for name in sums}, "closed": r["closed"]}
            for r in rows
        ],
    }
    if not rows:
        return Answer(data, ["没有下达过指标。下达：cvl budget appropriate --year 年度 --amount 金额 --ref 文号"])
    shown = [
        (str(r["year"]), *(yuan(r[f"{name}_fen"]) for name in sums), "已关账" if r["closed"] else "") for r in rows
    ]
    return Answer(data, table(["年度", ">下达指标", ">核定补贴", ">追回", ">缴回", ">指标余额", "关账"], shown))


VERBS = (
    Verb(
        "registry import",
        import_files,
        "登记名单文件（csv 或 xlsx），种类由表头识别。\n"
        "企业名单、服务商名单、关联关系、其他补贴、付款登记、合同登记、查验结果。\n一份文件要么全部登记，要么全部不登记。",
        [argument("files", "文件", FILE, several=True)],
        acting=True,
    ),
    Verb("budget list", years, "列出各年度指标：下达、核定、追回、缴回和余额。", [chinese.as_of()]),
    Verb(
        "budget close",
        close,
        "提交年度指标关账，由复核人员批准后缴回余额。\n次年1月1日起、该年度没有未办结的结算批次时办理；应付照常结转。",
        [option("--year", kind=YEAR, help="关账的财政年度", required=True)],
        acting=True,
    ),
    Verb(
        "budget appropriate",
        appropriate,
        "提交年度指标，由复核人员批准后生效。",
        [
            option("--year", kind=YEAR, help="指标所属的财政年度", required=True),
            option("--amount", kind=YUAN, help="指标金额（元）", required=True),
            option("--ref", help="指标文号", required=True, shown="文号"),
        ],
        acting=True,
    ),
)
