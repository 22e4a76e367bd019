"""Logs: plain lines on standard error (CVL_LOG=text), or JSON lines for a log collector (CVL_LOG=json).

Each record may carry run, upload and user. What looks like an account number or a person's id is masked, whoever
logged it.
"""

import json
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from console.answer import Answer
from voucher.errors import CvlError, cause

_FIELDS = (
    "run", "upload", "user", "command", "method", "route", "status", "seconds", "address", "request",
)  # fmt: skip
_LONG_NUMBER = re.compile(
    r"(?<![0-9A-Za-z])[0-9][0-9 -]{9,}[0-9]{4}(?![0-9A-Za-z])|(?<![0-9])[0-9]{17}[0-9Xx](?![0-9A-Za-z])"
)


def masked(text: str) -> str:
    """Replace all but the last four digits of long numbers: accounts, ids, phone numbers."""
    return _LONG_NUMBER.sub(lambda match: "…" + match[0][-4:], text)


class _Formatter(logging.Formatter):
    """Write one record as one line."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """Write the record; of an exception only its type and place, never its values."""
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "level": record.levelname.lower(), "logger": record.name, "message": masked(record.getMessage()),
        }  # fmt: skip
        entry |= {name: masked(str(value)) for name in _FIELDS if (value := getattr(record, name, None)) is not None}
        if record.exc_info and record.exc_info[0] is not None:
            entry["error"] = record.exc_info[0].__name__
            entry["place"] = _place(record)
        if self._as_json:
            return json.dumps(entry, ensure_ascii=False)
        rest = " ".join(f"{name}={value}" for name, value in entry.items() if name not in ("at", "level", "message"))
        return f"{entry['at']} {entry['level']} {entry['message']} {rest}"


def _place(record: logging.LogRecord) -> str:
    """Name file and line where an exception was raised."""
    trace = record.exc_info[2] if record.exc_info else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else ""


class _Stderr(logging.Handler):
    """Write to what is standard error at the time; a reader that has gone away is no reason to stop working."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        with suppress(OSError, ValueError):
            print(self.format(record), file=sys.stderr, flush=True)


def start(*, always: bool = False) -> None:
    """Set up the program's log: CVL_LOG (json or text) on standard error, or in the file that CVL_LOG_FILE names.

    Nothing is logged without either, unless always. A file that cannot be written is no reason to stop working.
    """
    log, form, path = logging.getLogger("cvl"), os.environ.get("CVL_LOG"), os.environ.get("CVL_LOG_FILE")
    for old in log.handlers[:]:
        log.removeHandler(old)
        old.close()
    log.propagate = False
    log.setLevel(logging.INFO)
    if not (form or path or always):
        log.addHandler(logging.NullHandler())
        return
    handler: logging.Handler = _Stderr()
    logging.raiseExceptions = False  # a full disk must not print what was being logged
    if path:
        try:
            handler = logging.FileHandler(path, encoding="utf-8")
        except OSError as error:
            print(f"日志写不到 {path}（{cause(error)}），改写到标准错误。", file=sys.stderr)
    handler.setFormatter(_Formatter(as_json=form == "json" or (bool(path) and form != "text")))
    log.addHandler(handler)


@contextmanager
def command(path: str, user: str | None) -> Iterator[Callable[[Answer], None]]:
    """Log how a command ended: who gave it, its exit status or why it was refused, its run or upload; no values."""
    start()
    log, began = logging.getLogger("cvl.command"), time.monotonic()
    fields: dict[str, Any] = {"command": path, "user": user}

    def ended(answer: Answer) -> None:
        fields["status"] = answer.status
        fields["run"], fields["upload"] = answer.data.get("run"), answer.data.get("upload_id")

    try:
        yield ended
    except CvlError as error:
        fields |= {"status": error.exit_status, "seconds": f"{time.monotonic() - began:.3f}"}
        log.warning("refused %s", error.code, extra=fields)
        raise
    except Exception:
        log.exception("failed", extra=fields | {"seconds": f"{time.monotonic() - began:.3f}"})
        raise
    log.info("done", extra=fields | {"seconds": f"{time.monotonic() - began:.3f}"})
