"""Programs of our own that use an embedded server, and what is asked of it."""

import fcntl
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

import psycopg
import pytest

from voucher import embedded_server, embedded_site
from voucher.errors import CvlError

REPOSITORY = Path(__file__).resolve().parents[3]
IS_ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not IS_ROOT, reason="only root runs the server as another account")
CHECKPOINTER = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
USE = """
with running(home) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def looked_after(home: Path) -> Iterator[Path]:
    """Lend a home to a test, which must leave no server behind."""
    yield home
    left_behind = alive(home)
    if left_behind:
        embedded_server.stop(embedded_site.site_of(home))
    assert not left_behind


def alive(home: Path) -> bool:
    """Tell whether any process of the home's server lives: they hold the lock on the data folder."""
    folders = [*(home / "postgres").glob("data"), *(home / "postgres").glob("data.init-*")]
    for folder in folders:
        fd = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
    return False


def until(holds: Callable[[], object], seconds: float = 20) -> None:
    """Poll until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.005)


def exists(folder: Path, wanted: str) -> bool:
    """Tell whether the folder has something of this pattern."""
    return any(folder.glob(wanted))


def program(home: Path, code: str = USE) -> subprocess.Popen[str]:
    """Start a program that uses the home."""
    head = "import os, signal, sys\nfrom pathlib import Path\nfrom voucher import embedded_server\n"
    head += "from voucher.embedded import running\nhome = Path(sys.argv[1])\n"
    head += "signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whatever started the tests\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + code, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *filter(None, sys.path)])},
        start_new_session=True,
    )


@contextmanager
def user(home: Path, code: str = USE) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Have another program use the home; yield it and the URL it got."""
    with program(home, code) as other:
        try:
            assert other.stdout is not None
            yield other, other.stdout.readline().strip()
        finally:
            other.kill()


def line(other: subprocess.Popen[str]) -> str:
    """Read the next line of the other program."""
    assert other.stdout is not None
    return other.stdout.readline().strip()


def leave(other: subprocess.Popen[str]) -> int:
    """Let the other program end by itself; return its exit status."""
    assert other.stdin is not None
    other.stdin.close()
    return other.wait(20)


def ask(url: str, query: str = "SELECT 1") -> object:
    """Ask for one value."""
    with psycopg.connect(url, autocommit=True) as db:
        row = db.execute(query.encode()).fetchone()
    return row[0] if row else None


def do(url: str, statement: str) -> None:
    """Execute a statement."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(statement.encode())


def postmaster(home: Path) -> int:
    """Read the number of the main process."""
    return int((home / "postgres/data/postmaster.pid").read_text().split()[0])


def socket_folder(url: str) -> Path:
    """Find the socket folder in a URL."""
    found = re.search(r"host=([^&]*)", url)
    assert found
    return Path(unquote(found[1]))


@contextmanager
def refused(kind: type[CvlError], code: str) -> Iterator[list[str]]:
    """Expect an exception with this code and collect its sentence."""
    said: list[str] = []
    with pytest.raises(kind) as caught:
        yield said
    assert caught.value.code == code
    said.append(caught.value.message)
