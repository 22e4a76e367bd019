"""Files that people hand in on a page: kept and checked, shown, then confirmed or dropped.

Nothing is in the books before it is confirmed; the check is the import itself, rolled back. The bytes lie under
CVL_HOME/handed-in/<id>/ until then; what nobody confirms for a week is cleared away.
"""

import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from sqlalchemy import Connection, Engine

from importers import accept, expand, returns
from importers.accept import Asked
from importers.outcome import OUTCOMES, Outcome
from voucher.access import User
from voucher.acts import canonical
from voucher.database import Row, one, query, run, run_file
from voucher.embedded import home_dir
from voucher.errors import Refused, Unreachable, cause
from voucher.problem import Problem, problem_data

SHOWN = 5
"""Places that are shown of each kind of fault in a column."""
_NAME_BYTES = 240
"""A file system takes 255 bytes, and a character of Chinese is three of them."""
_FORGOTTEN_SECONDS = 8 * 86_400
_PIECE = 1 << 20
_GRAVITY = {"blocking": 0, "error": 1, "warning": 2}


@dataclass(frozen=True, slots=True)
class Handed:
    """A file that waits. outcome: what the check found, see `checked`."""

    handed_id: int
    file_name: str
    size_bytes: int
    provider: str
    service_month: str
    outcome: Mapping[str, Any]


def hand_in(engine: Engine, user: User, name: str, stream: BinaryIO, asked: Asked) -> list[int]:
    """Keep a file, check it as an import would, and let it wait; of a zip every member by itself. Returns ids.

    Raises Refused and Unreachable; what is wrong with the file is in its outcome.
    """
    _clear_forgotten(engine)
    with _room(), tempfile.TemporaryDirectory(dir=_folder(), prefix="new-") as folder:
        source = Path(folder) / safe_name(name)
        with source.open("wb") as file:
            shutil.copyfileobj(stream, file, _PIECE)
        return [_wait(engine, user, member, asked) for member in expand.members(source)]


def _wait(engine: Engine, user: User, member: expand.Member, asked: Asked) -> int:
    """Check one file and let it wait."""
    if member.path is None:
        outcome = checked(Outcome(None, "", "", 0, dict.fromkeys(OUTCOMES, 0), (), member.problems), None)
        size = 0
    else:
        found: list[Row | None] = [None]

        def look(db: Connection, upload_id: int) -> None:
            found[0] = one(db, "queries/handed/sums.sql", upload_id=upload_id)

        outcome = checked(accept.import_file(engine, member.path, user, asked, dry_run=True, look=look), found[0])
        size = member.path.stat().st_size

    def add(db: Connection) -> int:
        row = one(
            db, "queries/handed/add.sql", name=user.name, file_name=member.name, size_bytes=size,
            provider=asked.provider, service_month=asked.service_month, outcome=canonical(outcome),
        )  # fmt: skip
        assert row is not None
        if member.path is not None:
            place = _folder() / str(row["handed_id"])
            place.mkdir(mode=0o700)
            shutil.copyfile(member.path, place / safe_name(member.name))
        return int(row["handed_id"])

    return run(engine, add)


def checked(outcome: Outcome, sums: Row | None) -> dict[str, Any]:
    """Write what a check found for a page: counts, money that will be accepted, faults grouped.

    groups: of the file, then by column, then of whole rows; in each the faults that are alike with their first places.
    """
    blocked = outcome.exit_status == 1
    return {
        "format": outcome.format, "rows": outcome.rows, "counts": dict(outcome.counts), "blocked": blocked,
        "known": not outcome.fresh, "failing": sum(outcome.counts[name] for name in ("conflict", "rejected", "held")),
        "invoices": sums["invoices"] if sums else 0, "net_fen": sums["net_fen"] if sums else 0,
        "gross_fen": sums["gross_fen"] if sums else 0, "groups": grouped(outcome.problems),
    }  # fmt: skip


def grouped(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """Group faults: those of the file first, then by column, then of rows; what stops before hints."""
    groups: dict[tuple[int, int, str, str], list[Problem]] = {}
    for each in problems:
        place = 0 if each.row is None else 1 if each.column else 2
        groups.setdefault((place, _GRAVITY[each.severity], each.column, each.code), []).append(each)
    return [
        {
            "place": ("file", "column", "row")[key[0]], "severity": found[0].severity, "column": key[2],
            "code": key[3], "count": len(found), "problems": [problem_data(each) for each in found[:SHOWN]],
        }
        for key, found in sorted(groups.items())
    ]  # fmt: skip


def waiting(db: Connection, user: User) -> list[Handed]:
    """List the files of a user that wait, newest first."""
    return [_read(row) for row in query(db, "queries/handed/list.sql", name=user.name, handed_id=None)]


def find(db: Connection, user: User, handed_id: int) -> Handed:
    """Find a waiting file of a user. Raises Refused for another's as for none."""
    row = one(db, "queries/handed/list.sql", name=user.name, handed_id=handed_id)
    if row is None:
        raise _no_waiting()
    return _read(row)


def confirm(engine: Engine, user: User, handed_id: int) -> Outcome:
    """Import a waiting file; it waits no longer. Confirming twice imports once. Raises Refused.

    It is taken off those that wait by the import's own transaction: what somebody drops meanwhile is not imported.
    """
    handed = run(engine, lambda db: find(db, user, handed_id))

    def take(db: Connection, _upload_id: int) -> None:
        if not _take(db, user, handed_id):
            raise _no_waiting()

    outcome = accept.import_file(engine, _bytes(handed), user, _asked(user, handed), look=take)
    if outcome.upload_id is not None:
        shutil.rmtree(_folder() / str(handed_id), ignore_errors=True)
    return outcome


def drop(engine: Engine, user: User, handed_id: int) -> bool:
    """Let a waiting file go; False when there was none of this user's."""
    gone = run(engine, lambda db: _take(db, user, handed_id))
    if gone:
        shutil.rmtree(_folder() / str(handed_id), ignore_errors=True)
    return gone


def _take(db: Connection, user: User, handed_id: int) -> bool:
    return bool(run_file(db, "queries/handed/drop.sql", name=user.name, handed_id=handed_id))


def _no_waiting() -> Refused:
    return Refused("no_waiting", "这份文件已经确认、放弃，或不存在。请看报送记录。")


def return_file(engine: Engine, user: User, handed_id: int, target: Path) -> int:
    """Write the failing rows of a waiting file; returns how many. Raises Refused."""
    handed = run(engine, lambda db: find(db, user, handed_id))
    outcome = accept.import_file(engine, _bytes(handed), user, _asked(user, handed), dry_run=True)
    return returns.write(target, outcome.header, outcome.failing, outcome.problems)


def safe_name(name: str) -> str:
    """Reduce a name that a browser sent to one that is only a name, and that a file system takes: by its end."""
    last = PurePosixPath(name.replace("\\", "/")).name
    plain = re.sub(r"[^\w.()（）〔〕\[\] -]", "_", last)
    return plain.encode("utf-8", "replace")[-_NAME_BYTES:].decode("utf-8", "ignore").lstrip(". ") or "文件"


def _asked(user: User, handed: Handed) -> Asked:
    """Ask as when the file was handed in; its day is that on which it is confirmed."""
    return accept.ask(user, handed.provider or None, handed.service_month, None)


def _read(row: Row) -> Handed:
    return Handed(
        row["handed_id"],
        row["file_name"],
        row["size_bytes"],
        row["provider_uscc"],
        row["service_month"],
        row["outcome"],
    )


def _bytes(handed: Handed) -> Path:
    """Give where the bytes of a waiting file lie."""
    path = _folder() / str(handed.handed_id) / safe_name(handed.file_name)
    if not path.is_file():
        raise Refused("no_bytes", "这份文件整份不能读取，或已被清理。请改正后重新上传。")
    return path


def _clear_forgotten(engine: Engine) -> None:
    """Clear away what nobody confirmed, and what killed programs left: nothing that waits is as old."""
    for row in run(engine, lambda db: query(db, "queries/handed/forgotten.sql")):
        shutil.rmtree(_folder() / str(row["handed_id"]), ignore_errors=True)
    for left in _folder().iterdir():
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _FORGOTTEN_SECONDS:
                shutil.rmtree(left)


def _folder() -> Path:
    folder = home_dir() / "handed-in"
    with _room():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


@contextmanager
def _room() -> Iterator[None]:
    """Say that a file cannot be kept."""
    try:
        yield
    except OSError as error:
        place = home_dir() / "handed-in"
        raise Unreachable("no_room", f"无法保存上传的文件：{cause(error)}。请检查磁盘空间和 {place}。") from error
