"""The child processes that parse what others made: few memory, little time, no file written, no word of theirs trusted.

Of documents: a line of JSON (module, sizes) and their bytes in, one line of JSON out (papers or problem of each). A
child that takes too long or too much is ended, and what comes next gets a new one.
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
from typing import Any, BinaryIO

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


def bound(limits: ParserLimits) -> None:
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


def bound_time(limits: ParserLimits) -> None:
    """Allow the next job of this process its processor seconds."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(used.ru_utime + used.ru_stime) + 1 + limits.cpu_seconds
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def answering() -> BinaryIO:
    """Keep this process's output for answers: whatever a library prints is none."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def main(limits: ParserLimits = PARSER_LIMITS) -> None:
    """Answer documents line by line until the parent goes away."""
    answers = answering()
    bound(limits)
    while line := sys.stdin.buffer.readline():
        asked = json.loads(line)
        documents = [sys.stdin.buffer.read(size) for size in asked["sizes"]]
        bound_time(limits)
        found = [parse_here(asked["module"], document) for document in documents]
        answers.write(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        answers.flush()


class Stopped(Exception):
    """A child ended, or was ended because it took too much; says which, in Chinese."""


class Child:
    """A child process that runs the `main` of a module, and the pipes to it. jobs: how many it has had."""

    def __init__(self, module: str) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self.module, self.jobs = module, 0
        self._read = bytearray()
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"from {module} import main; main()"], env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def send(self, message: Mapping[str, Any], documents: Sequence[bytes] = ()) -> None:
        """Send a message and the documents behind it. Raises Stopped."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(b"".join((json.dumps(message).encode(), b"\n", *documents)))
            self._process.stdin.flush()
        except OSError:
            self.end()
            raise Stopped("异常退出") from None

    def answer(self, limits: ParserLimits) -> Any:
        """Read the next answer. Raises Stopped when none comes in time or it is too large; the child is ended then."""
        while (end := self._read.find(b"\n")) < 0:
            why = self._more(limits)
            if why:
                self.end()
                raise Stopped(why)
        line = bytes(self._read[:end])
        del self._read[: end + 1]
        return json.loads(line)

    def _more(self, limits: ParserLimits) -> str:
        """Read up to the end of a line; returns why there is none, empty when there is."""
        assert self._process.stdout is not None
        number = self._process.stdout.fileno()
        deadline = time.monotonic() + limits.wall_seconds
        while True:
            ready, _, _ = select.select([number], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return f"超过{limits.wall_seconds}秒"
            piece = os.read(number, 1 << 16)
            self._read += piece
            if not piece or len(self._read) > limits.answer_bytes:
                return "结果过大" if piece else "异常退出"
            if b"\n" in piece:
                return ""

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


_idle: dict[str, list[Child]] = {}
_lock = threading.Lock()


def borrow(module: str) -> Child:
    """Give an idle child of a module, or a new one."""
    with _lock:
        waiting = _idle.get(module)
        child = waiting.pop() if waiting else None
    if child is not None and not child.alive:
        child.end()
        child = None
    return child or Child(module)


def give_back(child: Child, limits: ParserLimits) -> None:
    """Keep a child that has answered all for the next one, or end it when it has had enough."""
    if child.alive and child.jobs < limits.jobs:
        with _lock:
            _idle.setdefault(child.module, []).append(child)
    else:
        child.end()


def parse(module: str, documents: Sequence[bytes], limits: ParserLimits = PARSER_LIMITS) -> list[Answer]:
    """Parse documents in a child process. module: one with `parse(data)`. Never raises for what is in the files.

    Of several that together stop the child each is parsed by itself.
    """
    try:
        return _asked(module, documents, limits)
    except Stopped as why:
        if len(documents) == 1:
            return [stopped("parser_stopped", str(why))]
    return [answer for document in documents for answer in parse(module, [document], limits)]


def _asked(module: str, documents: Sequence[bytes], limits: ParserLimits) -> list[Answer]:
    """Ask a child. Raises Stopped."""
    child = borrow(__name__)
    child.jobs += len(documents)
    try:
        child.send({"module": module, "sizes": [len(document) for document in documents]}, documents)
        answers: list[Answer] = child.answer(limits)
    except BaseException:
        child.end()
        raise
    give_back(child, limits)
    return answers


@atexit.register
def end_children() -> None:
    """End the children that wait for documents."""
    with _lock:
        for child in (child for waiting in _idle.values() for child in waiting):
            child.end()
        _idle.clear()
