"""The child process that parses documents: few memory, little time, no file written, no word of the parent's taken.

A line of JSON (module, sizes) and the bytes of the documents in, one line of JSON out (papers or problem of each). A
child that takes too long or too much is ended, and the next documents get a new one.
"""

import atexit
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

from importers.limits import PARSER_LIMITS, ParserLimits

Answer = Mapping[str, Any]
"""papers: list of plain data; code and value: of the problem that stopped it, empty for none."""


def stopped(code: str, value: str = "") -> Answer:
    """Make the answer for a document that could not be parsed."""
    return {"papers": [], "code": code, "value": value}


def parse_here(module: str, document: bytes) -> Answer:
    """Parse a document in this process; whatever goes wrong is an answer."""
    from importers.papers import to_data
    from importers.xml_reading import BadXml

    try:
        papers = import_module(module).parse(document)
        return {"papers": [to_data(paper) for paper in papers], "code": "", "value": ""}
    except BadXml as bad:
        return stopped(bad.code, bad.value)
    except MemoryError:
        return stopped("parser_stopped", "内存")
    except RecursionError:
        return stopped("document_broken", "嵌套过深")
    except Exception as error:
        return stopped("document_broken", type(error).__name__)


def _bound(limits: ParserLimits) -> None:
    """Take the limits upon this process. On systems without them the parent's clock still holds."""
    try:
        import resource
    except ImportError:
        return
    for what, size in (
        (resource.RLIMIT_AS, limits.address_space),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):
            resource.setrlimit(what, (size, size))


def _bound_time(limits: ParserLimits) -> None:
    """Allow the next document its processor seconds."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(used.ru_utime + used.ru_stime) + 1 + limits.cpu_seconds
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def main(limits: ParserLimits = PARSER_LIMITS) -> None:
    """Answer documents line by line until the parent goes away."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is not an answer
    _bound(limits)
    while line := sys.stdin.buffer.readline():
        asked = json.loads(line)
        documents = [sys.stdin.buffer.read(size) for size in asked["sizes"]]
        _bound_time(limits)
        found = [parse_here(asked["module"], document) for document in documents]
        answers.write(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        answers.flush()


class _Child:
    """One child process and the pipe to it."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self.jobs = 0
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from importers.worker import main; main()"], env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def ask(self, module: str, documents: Sequence[bytes], limits: ParserLimits) -> "list[Answer] | str":
        """Have documents parsed, or say why not; the child is ended when it does not answer as it should."""
        assert self._process.stdin is not None
        self.jobs += len(documents)
        asked = {"module": module, "sizes": [len(document) for document in documents]}
        try:
            self._process.stdin.write(b"".join((json.dumps(asked).encode(), b"\n", *documents)))
            self._process.stdin.flush()
        except OSError:
            self.end()
            return "异常退出"
        line = self._line(limits)
        if isinstance(line, str):
            self.end()
            return line
        answers: list[Answer] = json.loads(line)
        return answers

    def _line(self, limits: ParserLimits) -> bytes | str:
        """Read one answer, or say why there is none."""
        assert self._process.stdout is not None
        number, size = self._process.stdout.fileno(), 0
        pieces: list[bytes] = []
        deadline = time.monotonic() + limits.wall_seconds
        while not pieces or not pieces[-1].endswith(b"\n"):
            ready, _, _ = select.select([number], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return f"超过{limits.wall_seconds}秒"
            piece = os.read(number, 1 << 16)
            size += len(piece)
            if not piece or size > limits.answer_bytes:
                return "异常退出" if not piece else "结果过大"
            pieces.append(piece)
        return b"".join(pieces)

    @property
    def alive(self) -> bool:
        """Tell whether the child still runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """End the child and wait for it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


_idle: list[_Child] = []
_lock = threading.Lock()


def parse(module: str, documents: Sequence[bytes], limits: ParserLimits = PARSER_LIMITS) -> list[Answer]:
    """Parse documents in a child process. module: one with `parse(data)`. Never raises for what is in the files.

    Of several that together stop the child each is parsed by itself.
    """
    answers = _asked(module, documents, limits)
    if not isinstance(answers, str):
        return answers
    if len(documents) == 1:
        return [stopped("parser_stopped", answers)]
    return [answer for document in documents for answer in parse(module, [document], limits)]


def _asked(module: str, documents: Sequence[bytes], limits: ParserLimits) -> list[Answer] | str:
    """Ask an idle child or a new one."""
    with _lock:
        child = _idle.pop() if _idle else None
    if child is None or not child.alive:
        if child is not None:
            child.end()
        child = _Child()
    try:
        answers = child.ask(module, documents, limits)
    except BaseException:
        child.end()
        raise
    if child.alive and child.jobs < limits.jobs:
        with _lock:
            _idle.append(child)
    else:
        child.end()
    return answers


@atexit.register
def end_children() -> None:
    """End the children that wait for documents."""
    with _lock:
        while _idle:
            _idle.pop().end()
