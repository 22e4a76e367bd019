"""A page and a visit to it: who comes, what was typed, and how to answer."""

import hmac
import logging
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlencode

from sqlalchemy import Connection, Engine
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal.kept import Kept
from portal.wall import Settings, address
from voucher import access, approval, logins
from voucher.access import User
from voucher.database import run
from voucher.entry import PAGE, Kind
from voucher.errors import Broken, Busy, CvlError, Misused, Refused, Unreachable
from voucher.logins import Session

Result = TypeVar("Result")
AWAY = "系统暂时用不了，没有办完的部分不会入账。请稍后重试；过几分钟仍是这样，请告诉系统管理员。"
_log = logging.getLogger("cvl.portal")
SAID, SAID_CHARS = "cvl_said", 400
"""The cookie that carries one sentence over a redirect; browsers drop one of more than 4096 bytes, 9 to a character."""
UNIT = "cvl_unit"
"""The cookie that says whether money is shown in 元 or 万元."""


_STATUS: Sequence[tuple[type[CvlError], int]] = (
    (Misused, 422), (Refused, 409), (Busy, 503), (Unreachable, 503), (Broken, 500),
)  # fmt: skip


def status_of(error: CvlError) -> int:
    """Return the HTTP status of a refusal."""
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def sentence_of(error: CvlError) -> str:
    """Return what a visitor is told; what only the operator can mend stands in the log alone."""
    if not isinstance(error, Unreachable) or error.code.startswith("oidc_"):
        return error.message
    _log.error("%s: %s", error.code, error.message)
    return AWAY


class Misfilled(Misused):
    """Fields of a form that do not fit: name to sentence."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(
            "misfilled", "有几处需要改正，请看下面的说明。" if len(faults) > 1 else next(iter(faults.values()))
        )
        self.faults = faults


@dataclass
class Visit:
    """One request to a page. session: None before log-in. fault: why the same page is shown again."""

    engine: Engine
    settings: Settings
    request: Request
    form: FormData
    readings: Kept
    session: Session | None = None
    page: "Page | None" = None
    fault: CvlError | None = None
    shown: dict[str, Any] = field(default_factory=dict)

    @property
    def user(self) -> User:
        """Return who is logged in."""
        assert self.session is not None
        return self.session.user

    @property
    def faults(self) -> Mapping[str, str]:
        """Give the faults of the form by field."""
        return self.fault.faults if isinstance(self.fault, Misfilled) else {}

    @property
    def wan(self) -> bool:
        """Tell whether money is shown in 万元."""
        return self.request.cookies.get(UNIT) == "wan"

    @property
    def said(self) -> str:
        """Give the sentence that the page before left."""
        return unquote(self.request.cookies.get(SAID, ""))[:SAID_CHARS]

    @property
    def must_add_second(self) -> bool:
        """Tell whether the user's role needs a second factor that is not there yet."""
        session = self.session
        return session is not None and session.user.role in self.settings.second_factor and not session.second_factor

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """Read from the books: staff as the auditor's role, a provider behind its own wall."""
        if self.user.role == "provider":
            return run(self.engine, work, "cvl_provider", self.user.provider_uscc or "-")
        return run(self.engine, work, "cvl_auditor")

    def kept(self, key: Hashable, work: Callable[[Connection], Result]) -> Result:
        """Read from the books as `read` does, or give what was read of late under the key; for staff alone."""
        assert self.user.role != "provider", "a provider's wall is not kept"
        return self.readings.read(self.engine, self.user.name, key, work)

    def act(self, command: str, work: Callable[[Connection, User], Result]) -> Result:
        """Do what a command does, as the user, after asking the one table again."""
        return run(self.engine, lambda db: work(db, access.require(db, self.user.name, command)))

    def note(self, event: str, subject: str = "", code: str = "", name: str | None = None) -> None:
        """Record an event of access."""
        who = name if name is not None else self.user.name if self.session else ""
        run(
            self.engine,
            lambda db: logins.note(
                db, event, name=who, subject=subject, code=code, address=address(self.request.scope),
                request_id=self.request.state.request_id,
            ),
        )  # fmt: skip

    def may(self, right: str) -> bool:
        """Tell whether the table of rights lets the user in."""
        return self.session is not None and self.user.role in access.RIGHTS[right]

    def path(self, name: str, kind: Kind) -> Any:
        """Read a part of the path. Raises Misused."""
        return _read(kind, str(self.request.path_params[name]))

    def asked(self, name: str, kind: Kind, default: Any = None) -> Any:
        """Read a parameter of the query; empty is the default. Raises Misused."""
        text = self.request.query_params.get(name, "").strip()
        return _read(kind, text) if text else default

    def typed(self, name: str) -> str:
        """Give what was typed into a field, or the query's value where the page was only opened."""
        value = self.form.get(name)
        return value if isinstance(value, str) else self.request.query_params.get(name, "") if value is None else ""

    def fill(self, required: Mapping[str, Kind], optional: Mapping[str, Kind] | None = None) -> dict[str, Any]:
        """Read the fields of a form; an optional one may be empty (None). Raises Misfilled with every fault."""
        values: dict[str, Any] = {}
        faults: dict[str, str] = {}
        for name, kind in (*required.items(), *(optional or {}).items()):
            text = self.typed(name).strip()
            if not text:
                values[name] = None
                if name in required:
                    faults[name] = "这一项必须填写。"
                continue
            try:
                values[name] = _read(kind, text)
            except Misused as fault:
                faults[name] = fault.message
        if faults:
            raise Misfilled(faults)
        return values

    def files(self, name: str) -> Sequence[UploadFile]:
        """List the files of a field. Raises Misfilled when none was chosen."""
        found = [each for each in self.form.getlist(name) if isinstance(each, UploadFile) and each.filename]
        if not found:
            raise Misfilled({name: "请先选择文件。"})
        return found

    @property
    def number(self) -> int:
        """Tell which page of a long list is asked for. Raises Misused."""
        return int(self.asked("page", PAGE, 1))

    def paged(self, rows: Sequence[Result], size: int) -> tuple[Sequence[Result], int]:
        """Cut the page that is asked for out of a list, one row longer where more follow. Returns it and its number."""
        number = self.number
        return rows[(number - 1) * size : number * size + 1], number

    def with_(self, **changed: Any) -> str:
        """Write the query of this page with some values changed; None takes one away."""
        now = {k: v for k, v in self.request.query_params.items() if k not in changed}
        return urlencode(now | {k: v for k, v in changed.items() if v is not None})

    def go(self, path: str, said: str = "") -> RedirectResponse:
        """Go on to another page, with a sentence about what was done."""
        answer = RedirectResponse(path, 303)
        if said:
            said = quote(said[:SAID_CHARS])
            answer.set_cookie(SAID, said, max_age=60, httponly=True, samesite="strict", secure=self.settings.secure)
        return answer

    def proposed(self, act: int) -> RedirectResponse:
        """Go on to what was proposed; the same asked for again may have been decided long ago."""
        waits = self.read(lambda db: approval.find(db, act)).state == "proposed"
        return self.go(f"/proposals/{act}", "已提交，待复核。" if waits else "这一事项早已办结，没有改动。")

    def honest(self) -> bool:
        """Tell whether a form carries the token of the session."""
        token = self.form.get("token")
        wanted = self.session.form_token if self.session else self.request.cookies.get("cvl_form", "")
        return isinstance(token, str) and bool(wanted) and hmac.compare_digest(token.encode(), wanted.encode())


@dataclass(frozen=True, slots=True)
class Page:
    """One route. run: gives the answer. right: a row of the table of rights.

    back: shows the page again with what was wrong. upload_bytes: largest body, where files come. nav: its name in the
    menu.
    """

    path: str
    run: Callable[[Visit], Response]
    right: str
    method: str = "GET"
    back: Callable[[Visit], Response] | None = None
    upload_bytes: int = 0
    nav: str = ""


def post(path: str, run: Callable[[Visit], Response], right: str, back: Callable[[Visit], Response] | None = None,
         upload_bytes: int = 0) -> Page:  # fmt: skip
    """Make a page that takes a form."""
    return Page(path, run, right, "POST", back, upload_bytes)


def _read(kind: Kind, text: str) -> Any:
    if len(text) > 2000 or "\0" in text:
        raise Misused("bad_value", f"{kind.name}太长，或含有不能用的字符。")
    try:
        return kind.read(text)
    except ValueError:
        raise Misused("bad_value", kind.says.format(value=text[:60]) + "。") from None
