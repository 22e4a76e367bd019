"""`cvl explain`: the 计算底稿 of one invoice, every number with its inputs and its clause."""

from pathlib import Path

from sqlalchemy import Connection, Engine

from console import chinese
from console.answer import Answer
from console.chinese import FILE, argument, option
from console.door import Verb
from console.files import write
from reconciliation.typeset import typeset
from settlement import explain as explaining
from settlement.explain_sheet import as_sheet
from settlement.explanation import Explanation
from voucher import acts
from voucher.database import run


def explain(engine: Engine, number: str, as_of: str | None, out: Path | None) -> Answer:
    """Explain one invoice as known now, or at an earlier moment; on paper when asked for a file."""

    def work(db: Connection) -> Explanation:
        return explaining.explain(db, number, acts.cutoff(db, as_of))

    found = run(engine, work, "cvl_auditor")
    data, text = explaining.as_json(found), explaining.as_text(found).splitlines()
    if out is None:
        return Answer(data, text)
    write(out, typeset("sheet", as_sheet(found)))
    return Answer(data | {"file": str(out)}, [f"计算底稿已写入 {out}（PDF）。"])


VERBS = (
    Verb(
        "explain",
        explain,
        "显示一张发票的计算底稿：每个数字、怎样算出、依据哪一条。",
        [
            argument("number", "发票号码"),
            chinese.as_of(),
            option("--out", kind=FILE, help="写成可打印的 PDF 文件（一页 A4）", shown="文件.pdf"),
        ],
    ),
)
