"""What the API gives, for its description: models with patterns for money, ids and days."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field

from voucher.money import format_yuan

Money = Annotated[str, Field(pattern=r"^-?[0-9]+\.[0-9]{2}$", examples=["1234.56"], description="元，两位小数")]
Id = Annotated[str, Field(pattern=r"^[0-9]{1,18}$")]
Digest = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
Status = Literal["accepted", "held", "conflict", "rejected"]
ERRORS = {
    401: "没有令牌，或令牌无效", 403: "令牌不能用于此事", 404: "没有这一项", 409: "不予办理，什么都没有改变",
    413: "文件超过限制", 422: "请求写得不对，或整份文件读不了", 429: "请求过于频繁", 503: "系统忙，请稍后再试",
}  # fmt: skip
"""Status to what it means; the body is a Problem, of an upload that cannot be read its outcome."""


class Problem(BaseModel):
    """An error. code: stable, as at the command line."""

    type: str
    title: str
    status: int
    code: str
    request_id: str


class Found(BaseModel):
    """One fault of a file."""

    code: str
    severity: Literal["blocking", "error", "warning"]
    row: int | None
    column: str
    value: str
    message: str
    invoice_number: str
    sheet: str


class Taken(BaseModel):
    """How one invoice of an upload ended."""

    number: str
    status: Literal["accepted", "duplicate", "held", "conflict", "rejected"]
    accepted_no: Id | None


class Outcome(BaseModel):
    """How an upload ended: counts of rows, every invoice, every fault."""

    upload_id: Id | None
    sha256: Digest
    format: str
    rows: int
    accepted: int
    duplicate: int
    conflict: int
    rejected: int
    held: int
    invoices: list[Taken]
    problems: list[Found]


class Upload(BaseModel):
    """One upload in a list."""

    upload_id: Id
    file: str
    provider: str
    service_month: str
    received_on: date
    sha256: Digest
    rows: int
    accepted: int
    duplicate: int
    conflict: int
    rejected: int
    held: int


class Uploads(BaseModel):
    """A page of uploads. next: cursor of the page after it."""

    items: list[Upload]
    next: str | None


class Invoice(BaseModel):
    """One invoice number and what became of it."""

    number: str
    status: Literal["accepted", "duplicate", "held", "conflict", "rejected"]
    accepted_no: Id | None
    company: str | None
    provider: str | None
    service_from: date | None
    service_until: date | None
    received_on: date | None
    net: Money | None
    gross: Money | None
    granted: Money | None


class Invoices(BaseModel):
    """A page of invoices."""

    items: list[Invoice]
    next: str | None


class RunHead(BaseModel):
    """One settlement run in a list."""

    run: Id
    state: str
    through: str
    programme: str
    maker: str
    checker: str | None
    lines: int
    granted: Money


class Runs(BaseModel):
    """All runs, oldest first."""

    items: list[RunHead]


class Reason(BaseModel):
    """Why an amount was cut."""

    code: str
    clause: str
    amount: Money
    sentence: str


class Line(BaseModel):
    """One line of a run."""

    invoice_number: str
    company: str
    provider: str
    cap_year: int
    kind: Literal["grant", "backfill", "recovery"]
    basis: Money
    computed: Money
    overlap_cut: Money
    granted: Money
    withheld: Money
    budget_cut: Money
    reasons: list[Reason]


class Totals(BaseModel):
    """Sums of a run; recovered is positive."""

    granted: Money
    withheld: Money
    recovered: Money


class Run(BaseModel):
    """A run with its lines."""

    run: Id
    state: str
    through: str
    programme: str
    policies: list[dict[str, str]]
    maker: str
    checker: str | None
    digest: Digest
    totals: Totals
    lines: list[Line]
    backfill: list[Line]
    held: list[Line]


class ReportName(BaseModel):
    """A report's name and title."""

    name: str
    title: str


class Reports(BaseModel):
    """All reports."""

    items: list[ReportName]


UPLOAD: dict[str, Any] = {
    "parameters": [
        {
            "name": "Idempotency-Key", "in": "header", "required": True,
            "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
            "description": "每次上传各不相同；同一键、同一内容得到第一次的答复，永久有效；同一键、另一内容为 409",
        }
    ],
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object", "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "service_month": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"},
                        "provider": {"type": "string", "description": "统一社会信用代码；服务商的令牌不用填"},
                    },
                }
            }
        },
    },
}  # fmt: skip
"""What the description of an upload says beside its answer."""


def upload(row: Any) -> dict[str, Any]:
    """Write an upload of a list."""
    counts = ("rows", "accepted", "duplicate", "conflict", "rejected", "held")
    return {
        "upload_id": str(row["upload_id"]), "file": row["file_name"], "provider": row["provider_uscc"],
        "service_month": row["service_month"], "received_on": row["received_on"], "sha256": row["sha256"],
        **{name: row[name] for name in counts},
    }  # fmt: skip


def run(row: Any) -> dict[str, Any]:
    """Write a run of a list."""
    return {
        "run": str(row["run_id"]), "state": row["state"], "through": f"{row['through_on']:%Y-%m}",
        "programme": row["programme_id"], "maker": row["maker"], "checker": row["checker"], "lines": row["lines"],
        "granted": format_yuan(int(row["granted_fen"])),
    }  # fmt: skip


def described(app: FastAPI) -> dict[str, Any]:
    """Write the OpenAPI description, with the bearer token that every operation needs."""
    made = get_openapi(
        title="算力券台账 API", version="1", routes=app.routes,
        description="金额为字符串，单位元；日期为 ISO；错误为 application/problem+json，code 与命令行相同。",
    )  # fmt: skip
    made.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    made["security"] = [{"token": []}]
    for path in made["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                if not status.startswith("2"):
                    problem = answer["content"].pop("application/json", None)
                    answer["content"]["application/problem+json"] = problem
            if "requestBody" in operation:  # a file that cannot be read at all: what is wrong with it is in its outcome
                operation["responses"]["422"]["content"]["application/json"] = {
                    "schema": {"$ref": "#/components/schemas/Outcome"}
                }
    return made
