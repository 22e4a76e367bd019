"""The application: every page behind its right, failures as pages, and the wall around all of it."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from portal.api import BASE, UPLOAD_BYTES, ApiError, add_api, problem, refusal
from portal.kept import Kept
from portal.metrics import Metrics
from portal.page import Page, Visit, sentence_of, status_of
from portal.pages import PAGES
from portal.show import HERE, TEMPLATES, asset, show
from portal.wall import TOO_LARGE, Settings, Wall, address
from voucher import access, acts, logins
from voucher.database import run
from voucher.errors import CvlError, Misused, Refused

MAX_FILES, MAX_FIELDS = 200, 400
_OPEN = ("view own account",)
"""Rights that a one-time password is good for."""


def make_app(engine: Engine, settings: Settings) -> Wall:
    """Make the portal on an engine."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    metrics, kept = Metrics(), Kept()
    TEMPLATES.globals["PAGES"] = PAGES
    for page in PAGES:
        app.add_api_route(
            page.path, _endpoint(page, engine, settings, kept), methods=[page.method], include_in_schema=False,
            response_model=None, name=page.right,
        )  # fmt: skip
    _add_probes(app, engine, metrics)

    add_api(app, engine)

    def failed(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        if request.url.path.startswith("/api/"):
            return _problem(request, error, status)
        visit = Visit(engine, settings, request, FormData(), kept)
        if isinstance(error, CvlError):
            return failure(visit, error)
        return show(visit, "error.html", status, sentence=_sentence(status))

    app.add_exception_handler(HTTPException, failed)
    for kind in (Exception, ApiError, CvlError, RequestValidationError):
        app.add_exception_handler(kind, failed)
    largest = {page.path: page.upload_bytes for page in PAGES if page.upload_bytes}
    return Wall(app, settings, largest | {f"{BASE}/uploads": UPLOAD_BYTES}, metrics)


def _problem(request: Request, error: Exception, status: int) -> Response:
    """Answer a program that something went wrong."""
    if isinstance(error, ApiError):
        return problem(request, error.status, error.code, error.message, **error.more)
    if isinstance(error, CvlError):
        return refusal(request, error)
    if isinstance(error, RequestValidationError):
        places = ["、".join(map(str, each["loc"])) for each in error.errors()]
        return problem(request, 422, "bad_request", f"请求写得不对：{'；'.join(places)}。请照接口说明改正。")
    if status == 400:
        return problem(request, 422, "bad_request", "请求的内容不完整或写得不对，没有办理。请照接口说明改正。")
    return problem(request, status, {404: "no_route", 413: "too_large"}.get(status, "failed"), _sentence(status))


def _endpoint(page: Page, engine: Engine, settings: Settings, kept: Kept) -> Callable[..., Response]:
    """Make the endpoint of a page: read the form, then do everything else in a thread."""

    async def entered(request: Request) -> AsyncIterator[Visit]:
        visit = Visit(engine, settings, request, FormData(), kept, page=page)
        await run_in_threadpool(_find_session, visit)
        if page.method == "GET" or not (page.right == access.ANYONE or visit.may(page.right)):
            yield visit  # whom nothing is taken from, nothing is read from either
            return
        async with request.form(max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=1 << 16) as form:
            visit.form = form
            yield visit

    def endpoint(visit: Annotated[Visit, Depends(entered)]) -> Response:
        return _answer(page, visit)

    return endpoint


def _find_session(visit: Visit) -> None:
    """Find out whose the cookie is."""
    cookie = visit.request.cookies.get(visit.settings.cookie, "")
    if cookie:
        visit.session = run(visit.engine, lambda db: logins.session(db, cookie))


def _answer(page: Page, visit: Visit) -> Response:
    """Let a visit in or not, and answer it."""
    refused = _refusal(page, visit)
    if refused is not None:
        return refused
    visit.request.state.user = visit.user.name if visit.session else ""
    try:
        return page.run(visit)
    except CvlError as error:
        if visit.session is not None and isinstance(error, Refused):
            visit.note("refused", page.path, error.code)
        if page.back is not None and isinstance(error, Misused | Refused):
            return _back(page.back, visit, error)
        return failure(visit, error)
    finally:
        if visit.session is not None and page.method != "GET":
            visit.readings.acted(visit.user.name)


def _back(shown: Callable[[Visit], Response], visit: Visit, error: CvlError) -> Response:
    """Show the page again with what was wrong; where there is no such page, say only that."""
    visit.fault = error
    try:
        return shown(visit)
    except CvlError as gone:
        visit.fault = None
        return failure(visit, gone)


def _refusal(page: Page, visit: Visit) -> Response | None:
    """Return why a visit goes no further: no session, a password to change, no right, a form that is not ours."""
    if page.right == access.ANYONE:
        honest = page.method == "GET" or visit.honest()
        return None if honest else show(visit, "error.html", 403, sentence="页面已过期，请重新打开后再试。")
    if visit.session is None:
        then = quote(visit.request.url.path) if page.method == "GET" else ""
        return visit.go(f"/login?next={then}", "" if page.path == "/" else "请先登录，或登录已超时。")
    if visit.session.pending and page.right != "second factor":
        return visit.go("/login/code")
    if visit.session.one_time and page.right not in _OPEN:
        return visit.go("/password", "这是一次性口令，请先改成自己的口令。")
    if visit.must_add_second and page.right not in (*_OPEN, "second factor"):
        return visit.go("/second")
    if not visit.may(page.right):
        visit.note("not_allowed", page.path, page.right)
        return show(visit, "error.html", 403, sentence=_forbidden(visit, page.right))
    if page.method != "GET" and not visit.honest():
        visit.note("bad_form", page.path)
        return show(visit, "error.html", 403, sentence="页面已过期，没有办理。请返回上一页刷新后重试。")
    return None


def _forbidden(visit: Visit, right: str) -> str:
    allowed = "、".join(access.ROLES[role] for role in access.ROLES if role in access.RIGHTS[right])
    return f"您的角色是{access.ROLES[visit.user.role]}，不能打开这一页。须由{allowed}角色的用户办理。"


def failure(visit: Visit, error: CvlError) -> Response:
    """Say on a page why something was not done."""
    status = status_of(error)
    if isinstance(error, Refused) and error.code.startswith("no_") and visit.request.method == "GET":
        status = 404
    return show(visit, "error.html", status, sentence=sentence_of(error))


def _sentence(status: int) -> str:
    words = {404: "没有这一页。请核对网址，或从首页重新进入。", 405: "这个网址不能这样访问。请从首页重新进入。",
             413: TOO_LARGE}  # fmt: skip
    if status in words:
        return words[status]
    return (
        f"请求不完整，或者一次选了超过{MAX_FILES}份文件。请返回上一页重试，文件多时分几次上传。"
        if status < 500
        else "程序出现意外错误，没有办完的部分不会入账。请稍后重试。"
    )


def _add_probes(app: FastAPI, engine: Engine, metrics: Metrics) -> None:
    """Add what machines ask: alive, ready, figures, and the files of ours."""

    def alive() -> Response:
        return PlainTextResponse("ok\n")

    def ready() -> Response:
        try:
            run(engine, acts.last, "cvl_auditor")
        except CvlError as error:
            return PlainTextResponse(f"{error.code}\n", 503)
        return PlainTextResponse("ok\n")

    def figures(request: Request) -> Response:
        if address(request.scope) not in ("127.0.0.1", "::1", "testclient"):
            raise HTTPException(404)
        pool: Any = engine.pool
        return PlainTextResponse(metrics.text({"out": pool.checkedout(), "idle": pool.checkedin()}))

    def static(name: str) -> Response:
        for each in ("portal.css", "portal.js", "portal.svg"):
            if asset(each) == f"/static/{name}":
                kept = {"cache-control": "public, max-age=31536000, immutable"}
                return FileResponse(HERE / "static" / each, headers=kept)
        raise HTTPException(404)

    for path, work in (("/healthz", alive), ("/readyz", ready), ("/metrics", figures), ("/static/{name}", static)):
        app.add_api_route(path, work, methods=["GET"], include_in_schema=False, response_model=None, name=access.ANYONE)
