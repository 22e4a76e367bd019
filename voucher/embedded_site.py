"""Where the embedded database of a home keeps its things, with the locks, passwords and sentences of it."""

import hashlib
import os
import re
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from voucher.embedded_binaries import Account, account_for
from voucher.errors import Busy, Unreachable, cause

if sys.platform != "win32":
    import fcntl

PORT = 5432
START_SECONDS = 600
SILENT_SECONDS = 30
PATIENCE_SECONDS = 60
_LOG_BYTES = 8_000_000
_SOCKET_PATH_BYTES = 107
_MEMORY_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where a container says how much memory it may use, in bytes, or ``max``."""


@dataclass(frozen=True)
class Site:
    """The place of a home's server: its folder, its socket folder, its account (None: ourselves)."""

    folder: Path
    sockets: Path
    account: Account | None

    @property
    def data(self) -> Path:
        """Name the data folder."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """Name the server's log."""
        return self.folder / "server.log"

    @property
    def socket(self) -> Path:
        """Name the socket."""
        return self.sockets / f".s.PGSQL.{PORT}"


def shared_buffers() -> str:
    """Size PostgreSQL's shared buffers: an eighth of the memory of the machine or container, 64 to 2048 MB."""
    sizes = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for limit in _MEMORY_LIMITS:
        with suppress(OSError, ValueError):
            sizes.append(int(Path(limit).read_text()))
    return f"{min(max(min(sizes) >> 23, 64), 2048)}MB"


def home_dir() -> Path:
    """Return the folder of the ledger's data: CVL_HOME, as root /var/lib/…, else the user's data folder."""
    name = "compute-voucher-ledger"
    if named := os.environ.get("CVL_HOME"):
        return Path(named).expanduser().absolute()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / name
    if os.geteuid() == 0:
        return Path("/var/lib") / name
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / name
    shared = os.environ.get("XDG_DATA_HOME", "")
    return (Path(shared) if shared.startswith("/") else Path.home() / ".local" / "share") / name


def site_of(home: Path) -> Site:
    """Work out where the home's server keeps its things; touches nothing."""
    folder = home.expanduser().resolve() / "postgres"
    return Site(folder, _socket_folder(folder), account_for(folder / "data"))


def _socket_folder(folder: Path) -> Path:
    """Choose the socket folder: inside the home, or a short one outside where the path would be too long.

    The choice depends on the home alone: TMPDIR and XDG_RUNTIME_DIR differ from a login to a scheduled job.
    """
    inside = folder / "s"
    length = len(os.fsencode(inside / f".s.PGSQL.{PORT}"))
    if length <= _SOCKET_PATH_BYTES and not re.search(r'[\s,"]', str(inside)):  # libpq splits hosts at commas
        return inside
    owner = folder.stat().st_uid if folder.exists() else os.geteuid()
    base = Path("/run") if owner == 0 and Path("/run").is_dir() else Path("/tmp")
    return base / f"cvl-{owner}-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"


def make_private(site: Site) -> None:
    """Make the socket folder, private to the server's account; refuse one that somebody else prepared."""
    ours = {os.geteuid()} | ({site.account.uid} if site.account else set())
    with suppress(FileExistsError):
        site.sockets.mkdir(mode=0o700)
    found = site.sockets.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in ours or found.st_mode & 0o077:
        raise Unreachable(
            "socket_folder_unsafe",
            f"{site.sockets} 不是本程序私有的目录，不能放数据库套接字；请删除它后重试。",
        )
    if site.account:
        os.chown(site.sockets, site.account.uid, site.account.gid, follow_symlinks=False)


def url_of(site: Site, role: str, database: str) -> str:
    """Write the URL of a role on a database; the port is named because PGPORT would otherwise change it."""
    host, secret = quote(str(site.sockets), safe=""), quote(password(site, role), safe="")
    return f"postgresql://{role}:{secret}@/{database}?host={host}&port={PORT}"


def password(site: Site, role: str, *, create: bool = False) -> str:
    """Read the role's password from its 0600 file; create: make one if there is none yet."""
    file = site.folder / f"password.{role}"
    if create and not file.exists():
        aside = file.with_name(f"{file.name}.part")
        with opened(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as fd:
            os.write(fd, secrets.token_urlsafe(32).encode())
            os.fsync(fd)
        aside.rename(file)
        sync(site.folder)
    try:
        return file.read_text("ascii")
    except FileNotFoundError:
        raise Unreachable(
            "password_lost",
            f"数据库口令文件 {file} 不见了，请从备份中恢复它，或用 CVL_HOME 指向完整的数据目录。",
        ) from None


@contextmanager
def opened(path: Path, flags: int = os.O_RDONLY) -> Iterator[int]:
    """Open a file (0600 if it is new) or a folder as a descriptor."""
    fd = os.open(path, flags, 0o600)
    try:
        yield fd
    finally:
        os.close(fd)


def try_lock(fd: int) -> bool:
    """Take the exclusive lock if it is free; tell whether it was."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def serialised(site: Site) -> Iterator[None]:
    """Be the only one of this home who starts or stops; Busy when the other does not end."""
    with opened(site.folder / "start.lock", os.O_RDWR | os.O_CREAT) as fd:
        deadline = time.monotonic() + START_SECONDS + SILENT_SECONDS
        while not try_lock(fd):
            if time.monotonic() > deadline:
                raise Busy("database_starting", f"另一个进程一直在启动或停止数据库，请看 {site.log}，稍后重试。")
            time.sleep(0.02)
        yield


def sync(folder: Path) -> None:
    """Put a folder's names on the disk."""
    with opened(folder) as fd:
        os.fsync(fd)


def bound_log(site: Site) -> None:
    """Keep the log small: past a limit its end moves to server.log.1 (the server appends, so it goes on)."""
    if site.log.exists() and site.log.stat().st_size > _LOG_BYTES:
        with site.log.open("r+b") as content:
            content.seek(-_LOG_BYTES // 8, os.SEEK_END)
            with opened(site.folder / "server.log.1", os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as kept:
                os.write(kept, content.read())
            content.truncate(0)


@contextmanager
def explained(site: Site) -> Iterator[None]:
    """Turn an error of the file system into a sentence."""
    try:
        yield
    except OSError as error:
        raise Unreachable(
            "embedded_failed",
            f"内置数据库不能使用 {error.filename or site.folder}（{cause(error)}）；请检查磁盘空间和权限"
            f"（日志 {site.log}），以创建它的用户运行，或用 CVL_HOME 换一个目录。",
        ) from error


def log_size(site: Site) -> int:
    """Return how long the log is, to know later what is new in it."""
    return site.log.stat().st_size if site.log.exists() else 0


def failed(site: Site, what: str, since: int) -> Unreachable:
    """Say that something failed, and where to read on. since: length of the log before."""
    new = site.log.read_bytes()[since:] if site.log.exists() else b""
    if b"No space left on device" in new or shutil.disk_usage(site.folder).free < _LOG_BYTES:
        return Unreachable(
            "no_space",
            f"磁盘已满，{what}失败；请腾出 {site.folder} 所在磁盘的空间后重试（日志 {site.log}）。",
        )
    return Unreachable("embedded_failed", f"{what}失败；请看日志 {site.log} 的最后几行，按其原因处理后重试。")
