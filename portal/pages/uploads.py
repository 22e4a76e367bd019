"""Hand in files: choose, check, confirm or drop; the return file; what was handed in before."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.datastructures import UploadFile
from starlette.responses import Response

from importers import accept, handed, returns
from importers.limits import MIB
from importers.originals import Originals, pack_of
from importers.outcome import WORDS, Outcome
from importers.outcome import read as read_outcome
from portal.page import Misfilled, Page, Visit, post
from portal.show import plainly, show
from voucher import uscc
from voucher.database import query, run
from voucher.entry import MONTH, NUMBER, TEXT
from voucher.errors import Broken, Refused

IMPORTS = BoundedSemaphore(3)
"""How many files are read at once: more of them would take as long together, and pages longer."""
UPLOAD_BYTES = 256 * MIB
"""All files of one form together."""
ROWS = 30


def uploads(visit: Visit) -> Response:
    """Show the form, what waits to be confirmed, and what was handed in before."""
    page = visit.number
    waiting = visit.act("import", handed.waiting) if visit.may("import") else []
    rows = visit.read(lambda db: _uploads(db, visit, rows=ROWS + 1, skip=(page - 1) * ROWS))
    return show(visit, "uploads.html", waiting=waiting, rows=rows, number=page, size=ROWS)


def _uploads(db: Connection, visit: Visit, **which: Any) -> list[Any]:
    asked = {"provider": visit.user.provider_uscc, "upload_id": None, "before": None, "rows": 1, "skip": 0} | which
    return query(db, "queries/portal/uploads.sql", **asked)


def hand_in(visit: Visit) -> Response:
    """Keep and check every file of the form; nothing is in the books yet."""
    typed = visit.fill({}, {"service_month": MONTH, "provider": TEXT})
    provider = uscc.normal(typed["provider"]) if typed["provider"] else None
    if provider is not None and uscc.check(provider) == "bad":
        raise Misfilled({"provider": "这不是有效的统一社会信用代码，请照营业执照核对18位代码。"})
    asked = accept.ask(visit.user, provider, typed["service_month"], None)
    ids = []
    for file in visit.files("files"):
        with IMPORTS:
            ids += handed.hand_in(visit.engine, visit.user, file.filename or "", file.file, asked)
    return visit.go(
        f"/uploads/waiting/{ids[0]}" if len(ids) == 1 else "/uploads", f"已检查{len(ids)}份文件，尚未入账。"
    )


def check(visit: Visit) -> Response:
    """Show what the check of one file found."""
    found = visit.act("import", lambda db, user: handed.find(db, user, visit.path("id", NUMBER)))
    return show(visit, "check.html", file=found, words=WORDS)


def confirm(visit: Visit) -> Response:
    """Import the chosen files; each is an act of its own."""
    done, last = [], None
    for each in visit.form.getlist("id"):
        if not (isinstance(each, str) and each.isascii() and each.isdigit() and len(each) < 19):
            continue
        try:
            with IMPORTS:
                last = handed.confirm(visit.engine, visit.user, int(each))
            done.append(last)
        except Refused as refused:
            if refused.code != "no_waiting":
                raise
    if last is None:
        raise Refused("no_waiting", "没有待确认的文件，可能已经确认过了。请看下面的报送记录。")
    accepted = sum(each.counts["accepted"] for each in done)
    open_rows = sum(each.counts[name] for each in done for name in ("conflict", "rejected", "held"))
    said = f"已入账：受理{accepted}行" + (f"，另有{open_rows}行需要处理。" if open_rows else "。")
    if stopped := [each for each in done if each.upload_id is None]:
        why = next(problem.message for problem in stopped[0].problems if problem.severity == "blocking")
        said = said if len(stopped) < len(done) else ""
        said += f"有{len(stopped)}份整份没有入账，仍在下面等待：{plainly(why)}"
    single = len(done) == 1 and last.upload_id is not None
    return visit.go(f"/uploads/{last.upload_id}" if single else "/uploads", said)


def drop(visit: Visit) -> Response:
    """Let a waiting file go."""
    gone = handed.drop(visit.engine, visit.user, visit.path("id", NUMBER))
    return visit.go("/uploads", "已放弃这份文件，没有写入任何数据。" if gone else "这份文件已经确认或放弃，没有改动。")


def waiting_return(visit: Visit) -> Response:
    """Give the failing rows of a waiting file."""
    found = visit.act("import", lambda db, user: handed.find(db, user, visit.path("id", NUMBER)))
    with tempfile.TemporaryDirectory(prefix="cvl-return-") as folder:
        path = Path(folder) / "return.xlsx"
        handed.return_file(visit.engine, visit.user, found.handed_id, path)
        return download(visit, path.read_bytes(), f"退回-{Path(found.file_name).stem}.xlsx")


def upload(visit: Visit) -> Response:
    """Show how an upload ended."""
    row, outcome = visit.read(lambda db: _find(db, visit))
    groups = handed.grouped(outcome.problems)
    return show(visit, "upload.html", row=row, outcome=outcome, groups=groups, words=WORDS)


def _find(db: Connection, visit: Visit) -> tuple[Any, Outcome]:
    """Find an upload that the visitor may see. Raises Refused."""
    upload_id = visit.path("id", NUMBER)
    rows = _uploads(db, visit, upload_id=upload_id)
    if not rows:
        raise Refused("no_upload", f"没有编号为 {upload_id} 的上传。请从报送记录进入。")
    return rows[0], read_outcome(db, [upload_id])[upload_id]


def upload_return(visit: Visit) -> Response:
    """Give the failing rows of an upload."""
    row, outcome = visit.read(lambda db: _find(db, visit))
    with tempfile.TemporaryDirectory(prefix="cvl-return-") as folder:
        path = Path(folder) / "return.xlsx"
        returns.write(path, outcome.header, outcome.failing, outcome.problems)
        return download(visit, path.read_bytes(), f"退回-{Path(row['file_name']).stem}.xlsx")


def original(visit: Visit) -> Response:
    """Give the very bytes of an upload."""
    row, _ = visit.read(lambda db: _find(db, visit))
    try:
        pack = run(visit.engine, lambda db: pack_of(db, row["sha256"]), "cvl_auditor")
        with Originals() as originals:
            data = originals.read(row["sha256"], pack)
    except OSError as error:
        raise Broken("document_missing", "原件不在存档中。请联系系统管理员从备份恢复。") from error
    return download(visit, data, handed.safe_name(row["file_name"]))


@contextmanager
def on_disk(file: UploadFile) -> Iterator[Path]:
    """Give an uploaded file a place and a name for as long as it is looked at."""
    with tempfile.TemporaryDirectory(prefix="cvl-upload-") as folder:
        path = Path(folder) / handed.safe_name(file.filename or "")
        with path.open("wb") as target:
            shutil.copyfileobj(file.file, target, MIB)
        yield path


def download(visit: Visit, data: bytes, name: str, event: str = "downloaded") -> Response:
    """Give a file: never shown in the browser, its name in any script, on record."""
    visit.note(event, name)
    suffix = Path(name).suffix
    plain = f"download{suffix if suffix.isascii() else ''}"
    return Response(
        data, media_type="application/octet-stream",
        headers={"content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"},
    )  # fmt: skip


PAGES = (
    Page("/uploads", uploads, "view uploads", nav="报送"),
    post("/uploads", hand_in, "import", uploads, UPLOAD_BYTES),
    post("/uploads/confirm", confirm, "import", uploads),
    Page("/uploads/waiting/{id}", check, "import"),
    post("/uploads/waiting/{id}/drop", drop, "import", uploads),
    Page("/uploads/waiting/{id}/return.xlsx", waiting_return, "download return file"),
    Page("/uploads/{id}", upload, "view uploads"),
    Page("/uploads/{id}/return.xlsx", upload_return, "download return file"),
    Page("/uploads/{id}/original", original, "download original"),
)
