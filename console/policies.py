"""`cvl policy`: the policy documents, every number with the words it rests on or the assumption behind it."""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from console import chinese
from console.answer import Answer, pairs, table
from console.chinese import FILE, argument
from console.door import Verb, ledger
from settlement import documents
from settlement.policy import BadPolicy, Policy, check, in_force, load, shipped
from settlement.policy_words import PARAMETERS, basis, marked, parameter
from voucher import access, acts, embedded
from voucher.database import query, run
from voucher.days import OPEN_END, Span, business_day
from voucher.embedded_site import site_of
from voucher.errors import Misused, Refused, cause


def _span(span: Span) -> dict[str, str | None]:
    """Write a span as paper does, both ends inclusive, an open end as null."""
    return {"from": span.start.isoformat(), "until": None if span.end >= OPEN_END else span.last.isoformat()}


def _shown_span(span: Span) -> str:
    return f"{span.start}至{'长期' if span.end >= OPEN_END else span.last}"


def show_all(engine: Engine, as_of: str | None) -> Answer:
    """List the recorded documents."""

    def work(db: Connection) -> list[dict[str, Any]]:
        cutoff = acts.cutoff(db, as_of)
        recorded = {row["policy_id"]: row for row in query(db, "queries/policy/list.sql", cutoff=cutoff)}
        return [
            {
                "id": policy.id, "programme": policy.programme, "title": policy.title,
                "number": policy.number, "item": policy.item, "supersedes": policy.supersedes,
                "in_force": _span(span),
                "sha256": policy.sha256, "act_no": str(recorded[policy.id]["no"]),
            }
            for policy, span in in_force(documents.recorded(db, cutoff))
        ]  # fmt: skip

    found = run(engine, work, "cvl_auditor")
    rows = [
        (
            p["id"],
            p["programme"],
            p["in_force"]["from"],
            p["in_force"]["until"] or "长期",
            f"{p['number']}{p['item']}",
        )
        for p in found
    ]
    text = table(["文件", "事项", "施行", "截止", "依据"], rows) if found else ["还没有登记政策文件。请运行 cvl init。"]
    return Answer({"policies": found}, text)


def show(engine: Engine, policy_id: str | None, as_of: str | None) -> Answer:
    """Print every number of a document with its unit, and the words it rests on or why it is assumed."""
    policy, span = run(engine, lambda db: _chosen(db, policy_id, as_of), "cvl_auditor")
    ground = policy.grounds["effective"]
    effective = {
        "name": "effective", "label": "施行期间", "value": _span(policy.span), "unit": "日（两端都计入）",
        "text": _shown_span(policy.span), "article": ground.article, "assumed": ground.assumed,
    }  # fmt: skip
    parameters = [
        effective,
        *(parameter(policy, name) for name in PARAMETERS if getattr(policy, name) is not None),
    ]
    data = {
        "id": policy.id, "programme": policy.programme, "title": policy.title, "number": policy.number,
        "issuer": policy.issuer, "item": policy.item, "supersedes": policy.supersedes,
        "sha256": policy.sha256, "in_force": _span(span), "parameters": parameters,
    }  # fmt: skip
    head = pairs(
        [
            ("政策文件", policy.id),
            ("名称", policy.title),
            ("依据", f"{policy.issuer} {policy.number}{policy.item}"),
            ("事项", policy.programme),
            ("现行期间", _shown_span(span)),
            ("文件摘要", policy.sha256),
        ]
    )
    rows = [(p["label"], p["text"], marked(p), basis(p)) for p in parameters]
    assumed = sum(bool(p["assumed"]) for p in parameters)
    foot = f"共{len(rows)}项，其中{assumed}项含有假定，须由主管部门确认。"
    return Answer(data, [*head, "", *table(["项目", "取值", "依据", "原文或假定的理由"], rows), "", foot])


def _chosen(db: Connection, policy_id: str | None, as_of: str | None) -> tuple[Policy, Span]:
    """Choose a document: the one named, else the one in force today, else the last one."""
    known = in_force(documents.recorded(db, acts.cutoff(db, as_of)))
    if policy_id is not None:
        known = [entry for entry in known if entry[0].id == policy_id]
    elif now := [entry for entry in known if business_day() in entry[1]]:
        known = now
    if not known:
        named = f"没有登记过政策文件“{policy_id}”。" if policy_id else "还没有登记政策文件。"
        raise Refused("no_policy", f"{named}请用 cvl policy list 查看已登记的文件。")
    return known[-1]


def check_file(file: Path) -> Answer:
    """Check a policy file by itself and against the documents already known; writes nothing."""
    body = _body(file)
    try:
        policy = load(body)
    except BadPolicy as bad:
        return _faults(file, bad)
    faults = check([*(known for known in _known() if known.sha256 != policy.sha256), policy])
    if faults:
        return _faults(file, BadPolicy(faults))
    data = {"file": str(file), "ok": True, "id": policy.id, "sha256": policy.sha256, "faults": []}
    return Answer(data, [f"{file}：没有发现问题（{policy.id}，{_shown_span(policy.span)}）。"])


def record_file(engine: Engine, as_user: str | None, file: Path) -> Answer:
    """Record a policy file as an act: from then on it is in force, and it is never edited."""
    body = _body(file)

    def work(db: Connection) -> tuple[Policy, bool]:
        user = access.require(db, as_user, "policy record")
        policy = load(body)
        return policy, documents.record(db, policy, body, user.name)

    policy, fresh = run(engine, work)
    data = {"id": policy.id, "programme": policy.programme, "sha256": policy.sha256, "recorded": fresh}
    said = "已登记" if fresh else "早已登记，没有改动"
    return Answer(data, [f"政策文件 {policy.id}（事项 {policy.programme}，{_shown_span(policy.span)}）{said}。"])


def _body(file: Path) -> bytes:
    """Read a file. Raises Misused."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise Misused("no_file", f"无法读取 {file}（{cause(error)}）。请核对路径。") from error


def _known() -> list[Policy]:
    """Return the recorded documents, without a ledger those that are part of the program."""
    if os.environ.get("CVL_DATABASE_URL") or (site_of(embedded.home_dir()).data / "PG_VERSION").exists():
        with ledger() as engine:
            return run(engine, lambda db: documents.recorded(db, acts.cutoff(db)), "cvl_auditor")
    return shipped()


def _faults(file: Path, bad: BadPolicy) -> Answer:
    """Answer with the faults of a file."""
    faults = [
        {"code": f.code, "document": f.document, "parameter": f.parameter, "message": f.message} for f in bad.faults
    ]
    data = {
        "file": str(file),
        "ok": False,
        "faults": faults,
        "error": {"code": bad.code, "message": bad.message},
    }
    rows = [(f["document"], f["parameter"], f["message"]) for f in faults]
    return Answer(data, [f"{file}：有{len(faults)}处问题，请改正后再检查。", *table(["文件", "项目", "问题"], rows)], 1)


VERBS = (
    Verb("policy list", show_all, "列出已登记的政策文件及其现行期间。", [chinese.as_of()]),
    Verb(
        "policy show",
        show,
        "显示一份政策文件的每个数字、单位和依据：引自原文，还是假定及其理由。\n不写文件标识时，显示今天有效的那一份。",
        [argument("policy_id", "文件标识", required=False), chinese.as_of()],
    ),
    Verb(
        "policy check",
        check_file,
        "检查一份政策文件（TOML），不写入任何数据。\n有问题时逐条列出，退出码为 1。",
        [argument("file", "文件", FILE)],
        database=False,
    ),
    Verb(
        "policy record",
        record_file,
        "登记一份政策文件，登记后即生效，内容不可再改。请先用 cvl policy check 检查。",
        [argument("file", "文件", FILE)],
        acting=True,
    ),
)
