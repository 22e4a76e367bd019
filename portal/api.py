"""The HTTP API: what programs of providers and of the bureau may do, over bearer tokens. Errors are problem+json.

A request is let in before its body is read. Money is a string of yuan with two decimals, ids are strings.
"""

import base64
import binascii
import hashlib
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Query
from fastapi import Path as Part
from sqlalchemy import Connection, Engine
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from importers import accept
from importers.limits import MIB
from importers.outcome import Outcome, as_id, outcome_data
from importers.outcome import read as read_outcome
from portal import api_shapes as shapes
from portal.page import sentence_of, status_of
from portal.pages.home import invoices_asked
from portal.pages.uploads import IMPORTS, on_disk
from portal.wall import address
from reconciliation import plain, reports
from settlement import documents, explain, run_data
from settlement import run as runs
from voucher import access, acts, logins, tokens, uscc
from voucher.acts import canonical
from voucher.database import one, query, run
from voucher.entry import MONTH
from voucher.errors import CvlError, Refused
from voucher.money import format_yuan
from voucher.tokens import Token

BASE = "/api/v1"
UPLOAD_BYTES = 128 * MIB
RATE, WINDOW_SECONDS = 600, 60
"""Requests of one token in a window; in memory, so each server process counts by itself."""
Result = TypeVar("Result")
Limit = Annotated[int, Query(ge=1, le=200, description="每页多少条")]
Cursor = Annotated[str | None, Query(max_length=60, description="上一页给出的 next")]
Number = Annotated[str, Part(min_length=1, max_length=40, pattern=r"^[0-9-]+$")]
Id = Annotated[str, Part(pattern=r"^[0-9]{1,18}$")]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, with what token."""

    engine: Engine
    request: Request
    token: Token

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """Read from the books; a provider behind its own wall."""
        user = self.token.user
        if user.role == "provider":
            return run(self.engine, work, "cvl_provider", user.provider_uscc or "-")
        return run(self.engine, work, "cvl_auditor")


class ApiError(Exception):
    """A request that is not answered. status: of HTTP; code: stable; message: one Chinese sentence."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.more = status, code, message, more


class Rate:
    """How often each token has asked of late."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asked: dict[int, deque[float]] = {}

    def allow(self, token_id: int) -> bool:
        """Count a request; False when there were too many in the window."""
        now = time.monotonic()
        with self._lock:
            asked = self._asked.setdefault(token_id, deque())
            while asked and asked[0] < now - WINDOW_SECONDS:
                asked.popleft()
            if len(asked) >= RATE:
                return False
            asked.append(now)
            return True


def problem(request: Request, status: int, code: str, message: str, **more: Any) -> Response:
    """Write an error as problem+json."""
    body = {
        "type": f"urn:cvl:error:{code}", "title": message, "status": status, "code": code,
        "request_id": request.state.request_id, **more,
    }  # fmt: skip
    headers = {"www-authenticate": "Bearer"} if status == 401 else {"retry-after": "60"} if status in (429, 503) else {}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def refusal(request: Request, error: CvlError) -> Response:
    """Write a refusal of the product's own as problem+json."""
    status = 404 if isinstance(error, Refused) and error.code.startswith("no_") else status_of(error)
    return problem(request, status, error.code, sentence_of(error))


def caller(engine: Engine, rate: Rate, scope: str, right: str) -> Callable[[Request], Any]:
    """Make the dependency that lets a token in: good, in scope, within its role and its rate."""

    def enter(request: Request) -> Caller:
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not secret.startswith("cvl_"):
            raise ApiError(401, "no_token", "请在 Authorization 中带上令牌：Bearer cvl_…")
        token = run(engine, lambda db: tokens.find(db, secret))
        if token is None:
            raise ApiError(401, "bad_token", "令牌无效、已停用或已过期。请向管理员申请新的令牌。")
        request.state.user = token.user.name
        if not rate.allow(token.token_id):
            raise ApiError(429, "too_many", "请求过于频繁，请稍后再试。")
        if scope not in token.scopes or token.user.role not in access.RIGHTS[right]:
            note(engine, request, token, "not_allowed", right)
            raise ApiError(403, "not_allowed", f"这个令牌不能用于：{tokens.SCOPES[scope]}。")
        return Caller(engine, request, token)

    async def entered(request: Request) -> Caller:
        return await run_in_threadpool(enter, request)

    return entered


def note(engine: Engine, request: Request, token: Token, event: str, code: str) -> None:
    """Record an event of access by a program."""
    subject = f"{request.method} {request.scope['route'].path}" if request.scope.get("route") else request.method
    run(
        engine,
        lambda db: logins.note(
            db, event, name=token.user.name, subject=subject, code=code, address=address(request.scope),
            request_id=request.state.request_id,
        ),
    )  # fmt: skip


def after(cursor: str | None) -> int:
    """Read where a page begins. Raises ApiError."""
    if cursor is None:
        return 0
    try:
        place = int(base64.urlsafe_b64decode(cursor.encode()).decode().removeprefix("p"))
        if not 0 <= place < 1 << 62:
            raise ValueError(cursor)
    except (ValueError, binascii.Error, UnicodeDecodeError) as error:
        raise ApiError(422, "bad_cursor", "cursor 不是上一页给出的 next。") from error
    return place


def following(place: int) -> str:
    """Write where the next page begins."""
    return base64.urlsafe_b64encode(f"p{place}".encode()).decode()


@contextmanager
def handed(form_file: Any) -> Iterator[Path]:
    """Give the file of a form a place. Raises ApiError without one."""
    if not isinstance(form_file, UploadFile) or not form_file.filename:
        raise ApiError(422, "no_file", "请用 file 字段带上一个文件。")
    with on_disk(form_file) as path:
        yield path


def _upload(found: Caller, form: Any) -> Response:
    """Import one file, or give the first answer to its key again."""
    key = found.request.headers.get("idempotency-key", "")
    if not key or len(key) > 200 or not key.isascii() or not key.isprintable() or " " in key:
        raise ApiError(422, "no_key", "请在 Idempotency-Key 中带上一个 1 至 200 个字符、每次上传各不相同的键。")
    month, provider = str(form.get("service_month") or ""), str(form.get("provider") or "")
    if provider and uscc.check(provider := uscc.normal(provider)) == "bad":
        raise ApiError(422, "bad_uscc", "provider 不是有效的统一社会信用代码。")
    if month:
        _month(month)
    user = found.token.user
    with handed(form.get("file")) as path, path.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        request = hashlib.sha256(canonical([sha256, month, provider]).encode()).digest()
        asked = accept.ask(user, provider or None, month, None)
        first = run(found.engine, lambda db: tokens.asked(db, user, key, request))
        if first is None:
            with IMPORTS:
                outcome = accept.import_file(found.engine, path, user, asked, listing=True)
            status = 422 if outcome.exit_status == 1 else 200
            body = canonical(outcome_data(outcome))
            run(found.engine, lambda db: tokens.answered(db, user, key, status, body))
            first = run(found.engine, lambda db: tokens.asked(db, user, key, request)) or (status, body)
    return Response(first[1], first[0], media_type="application/json")


def _month(text: str) -> None:
    try:
        MONTH.read(text)
    except ValueError:
        raise ApiError(422, "bad_month", MONTH.says.format(value=text[:20]) + "。") from None


def _invoice(row: Any) -> dict[str, Any]:
    return {
        "number": row["number"], "status": row["status"],
        "accepted_no": as_id(row["accepted_no"]),
        "company": row["company"], "provider": row["provider"], "service_from": row["from_on"],
        "service_until": row["until_on"], "received_on": row["received_on"],
        **{name: None if row[f"{name}_fen"] is None else format_yuan(row[f"{name}_fen"])
           for name in ("net", "gross", "granted")},
    }  # fmt: skip


def add_api(app: FastAPI, engine: Engine) -> None:
    """Add the API to the application."""
    router, rate = APIRouter(prefix=BASE), Rate()
    wrong: dict[int | str, dict[str, Any]] = {
        status: {"model": shapes.Problem, "description": words} for status, words in shapes.ERRORS.items()
    }

    def may(scope: str, right: str) -> Any:
        return Depends(caller(engine, rate, scope, right))

    _add_uploads(router, wrong, may)
    _add_invoices(router, wrong, may)
    _add_runs(router, wrong, may)
    app.include_router(router)

    def described() -> Response:
        return JSONResponse(shapes.described(app))

    app.add_api_route(f"{BASE}/openapi.json", described, include_in_schema=False, name=access.ANYONE)


def _add_uploads(router: APIRouter, wrong: Any, may: Callable[[str, str], Any]) -> None:
    """Add what hands files in and looks after them."""

    async def form_of(found: Annotated[Caller, may("uploads", "import")]) -> AsyncIterator[tuple[Caller, Any]]:
        async with found.request.form(max_files=1, max_fields=10, max_part_size=4096) as form:
            yield found, form

    @router.post(
        "/uploads", summary="上传一个发票文件", responses=wrong, response_model=shapes.Outcome,
        openapi_extra=shapes.UPLOAD,
    )  # fmt: skip
    def upload(entered: Annotated[Any, Depends(form_of)]) -> Response:
        return _upload(*entered)

    @router.get("/uploads", summary="上传记录，最近的在前", responses=wrong, response_model=shapes.Uploads)
    def uploads(found: Annotated[Caller, may("uploads", "view uploads")], limit: Limit = 50,
                cursor: Cursor = None) -> Any:  # fmt: skip
        asked = {"provider": found.token.user.provider_uscc, "upload_id": None, "before": after(cursor) or None,
                 "rows": limit + 1, "skip": 0}  # fmt: skip
        rows = found.read(lambda db: query(db, "queries/portal/uploads.sql", **asked))
        more = following(rows[limit - 1]["act_no"]) if len(rows) > limit else None
        return {"items": [shapes.upload(row) for row in rows[:limit]], "next": more}

    @router.get("/uploads/{id}", summary="一次上传的结果", responses=wrong, response_model=shapes.Outcome)
    def one_upload(found: Annotated[Caller, may("uploads", "view uploads")], id: Id) -> Any:
        asked = {"provider": found.token.user.provider_uscc, "upload_id": int(id), "before": None, "rows": 1, "skip": 0}

        def work(db: Connection) -> Outcome:
            if one(db, "queries/portal/uploads.sql", **asked) is None:
                raise Refused("no_upload", f"没有编号为 {id} 的上传。请核对编号。")
            return read_outcome(db, [int(id)])[int(id)]

        return outcome_data(found.read(work))


def _add_invoices(router: APIRouter, wrong: Any, may: Callable[[str, str], Any]) -> None:
    """Add invoices."""

    @router.get("/invoices", summary="发票", responses=wrong, response_model=shapes.Invoices)
    def invoices(found: Annotated[Caller, may("invoices", "view invoices")], status: shapes.Status | None = None,
                 limit: Limit = 50, cursor: Cursor = None) -> Any:  # fmt: skip
        place = after(cursor)
        asked = invoices_asked(uploader=found.token.user.provider_uscc, status=status, rows=limit + 1, skip=place)
        rows = found.read(lambda db: query(db, "queries/console/invoices.sql", **asked))
        more = following(place + limit) if len(rows) > limit else None
        return {"items": [_invoice(row) for row in rows[:limit]], "next": more}

    @router.get("/invoices/{number}", summary="一张发票", responses=wrong, response_model=shapes.Invoice)
    def invoice(found: Annotated[Caller, may("invoices", "view invoices")], number: Number) -> Any:
        asked = invoices_asked(uploader=found.token.user.provider_uscc, number=number, rows=200)
        rows = found.read(lambda db: query(db, "queries/console/invoices.sql", **asked))
        exact = [row for row in rows if row["number"] == number]
        if not exact:
            raise Refused("no_invoice", f"没有收到过发票 {number}。请核对号码。")
        return _invoice(exact[0])


def _add_runs(router: APIRouter, wrong: Any, may: Callable[[str, str], Any]) -> None:
    """Add settlement runs, explanations and reports."""

    @router.get("/runs", summary="结算批次", responses=wrong, response_model=shapes.Runs)
    def listed(found: Annotated[Caller, may("runs", "view runs")]) -> Any:
        rows = found.read(lambda db: query(db, "queries/settle/list.sql", cutoff=None))
        return {"items": [shapes.run(row) for row in rows]}

    @router.get("/runs/{id}", summary="一个批次及其结算行，形状与 cvl settle show --json 相同", responses=wrong,
                response_model=shapes.Run)  # fmt: skip
    def settled(found: Annotated[Caller, may("runs", "view runs")], id: Id) -> Any:
        def work(db: Connection) -> dict[str, Any]:
            run = runs.find(db, int(id))
            held, backfill = runs.listed(db, run, "held"), runs.listed(db, run, "backfill")
            return run_data.whole(db, run, documents.recorded(db, run.cutoff), held, backfill)

        return found.read(work)

    @router.get("/explanations/{number}", summary="计算底稿", responses=wrong, response_model=dict[str, Any])
    def explained(found: Annotated[Caller, may("explanations", "view explanation")], number: Number) -> Any:
        return explain.as_json(found.read(lambda db: explain.explain(db, number, acts.cutoff(db))))

    @router.get("/reports", summary="有哪些报表", responses=wrong, response_model=shapes.Reports)
    def names(found: Annotated[Caller, may("reports", "view reports")]) -> Any:
        assert found.token
        return {"items": [{"name": name, "title": title} for name, title in reports.names().items()]}

    @router.get("/reports/{name}", summary="一张报表，可截至任一时刻", responses=wrong, response_model=dict[str, Any])
    def report(found: Annotated[Caller, may("reports", "export reports")],
               name: Annotated[str, Part(pattern=r"^[a-z_]{1,40}$")],
               period: Annotated[str, Query(pattern=r"^[0-9]{4}(-[0-9]{2})?$")],
               as_of: Annotated[str | None, Query(max_length=40)] = None) -> Response:  # fmt: skip
        who = found.token.user.name
        made = found.read(lambda db: reports.run(db, name, period, acts.cutoff(db, as_of), who))
        note(found.engine, found.request, found.token, "exported", name)
        with tempfile.TemporaryFile() as file:
            plain.write_json(made, file)
            file.seek(0)
            return Response(file.read(), media_type="application/json")
