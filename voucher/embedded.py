"""The embedded database: a PostgreSQL server that lives exactly as long as somebody uses it.

Each user holds a shared lock (flock) on postgres/use.lock; whoever can take it exclusively while leaving
stops the server. Entering and leaving are serialised by postgres/start.lock. The server's own processes hold
a lock on their data folder, inherited from whoever started them: it tells whether any of them lives, where a
pid would only be a guess. Whether the server works is told by a query. A server left behind by a killed
program is adopted.

As root the server runs as another account, which may be unable to reach a home under a private folder. It is
handed open descriptors of its data and socket folders and finds them as /proc/self/fd/N, so the modes of
their parents do not matter.

Environment: CVL_HOME (see `home_dir`), CVL_PG_BIN (see `bin_dir`), CVL_PG_OPTIONS: more options of the
server, the last one wins, as in "-c work_mem=64MB" ("-c fsync=off" is for tests: a power failure then loses
the books).
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from voucher import embedded_server
from voucher.embedded_binaries import bin_dir
from voucher.embedded_site import (
    Site,
    bound_log,
    explained,
    home_dir,
    opened,
    serialised,
    site_of,
    try_lock,
    url_of,
)
from voucher.errors import CvlError, Unreachable

if sys.platform != "win32":
    import fcntl

__all__ = ["bin_dir", "home_dir", "revive", "running", "superuser_url"]


@contextmanager
def running(home: Path) -> Iterator[str]:
    """Keep the home's server running while the context lasts; yield the URL of cvl_login on database cvl.

    Any number of threads and processes (forked ones too) may hold it at once; the last one out stops the server.
    A program that gets SIGTERM or SIGHUP meanwhile ends by SystemExit, so that it leaves no server behind.
    Raises Unreachable (it does not start), Refused (data of another major version), Busy (lock not got).
    """
    if sys.platform == "win32":
        raise Unreachable("no_embedded", "Windows 上没有内置数据库，请用 CVL_DATABASE_URL 指定一个 PostgreSQL。")
    with _termination_as_exit():
        site = site_of(home)
        use = _enter(site)
        try:
            with explained(site), serialised(site):
                bound_log(site)
                embedded_server.check_version(site)
                embedded_server.create(site)
                embedded_server.bring_up(site)
            yield url_of(site, embedded_server.LOGIN, embedded_server.DATABASE)
        finally:
            _leave(site, use)


def revive(home: Path) -> bool:
    """Start the server again if it has died under its users; tell whether that was ours to do, and done.

    Only while `running(home)` is held. While one user does it the others are not kept waiting. Raises as `running`.
    """
    site = site_of(home)
    with explained(site), opened(site.folder / "start.lock", os.O_RDWR | os.O_CREAT) as fd:
        if not try_lock(fd):
            return False
        embedded_server.bring_up(site)
        return True


def superuser_url(home: Path) -> str:
    """Return the URL of the superuser on database postgres: for backup, restore and tests only.

    It answers only while `running(home)` is held. Nothing that books anything may use it.
    """
    return url_of(site_of(home), "postgres", "postgres")


def _enter(site: Site) -> int:
    """Become a user of the server; return the lock that says so."""
    with explained(site):
        for folder in (site.folder.parent, site.folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with serialised(site):  # nobody is just stopping it
            use = os.open(site.folder / "use.lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(use, fcntl.LOCK_SH)
    return use


def _leave(site: Site, use: int) -> None:
    """Cease to be a user; the last one stops the server.

    That it cannot be stopped is no failure of what was done with it: the next user adopts it.
    """
    with _signals_held(), suppress(OSError, CvlError), serialised(site):
        os.close(use)
        with opened(site.folder / "use.lock", os.O_RDWR) as last:
            if try_lock(last):
                embedded_server.stop(site)


@contextmanager
def _termination_as_exit() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into SystemExit (main thread only, and only where nobody else handles them)."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    main = threading.current_thread() is threading.main_thread()
    ours = [s for s in (signal.SIGTERM, signal.SIGHUP) if main and signal.getsignal(s) is signal.SIG_DFL]
    try:
        for number in ours:
            signal.signal(number, leave)
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def _signals_held() -> Iterator[None]:
    """Let a second Ctrl-C or SIGTERM wait until the server is down (main thread only)."""
    caught: list[int] = []
    held = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) not in (None, signal.SIG_IGN):
                held[number] = signal.signal(number, lambda got, _frame: caught.append(got))
    try:
        yield
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
        if caught:
            signal.raise_signal(caught[0])
