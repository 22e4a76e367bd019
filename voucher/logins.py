"""Who is it: passwords, sessions and the waiting time after wrong passwords. What a user may do is in `access`.

Passwords are kept as argon2id digests, sessions as the digest of their cookie. Attempts are counted in the database
before the password is looked at, so that neither a restart nor many attempts at once get round the wait.
"""

import hashlib
import secrets
import unicodedata
from dataclasses import dataclass
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection

from voucher import access
from voucher.access import User
from voucher.database import Row, one, query, run_file
from voucher.errors import Misused, Refused

IDLE_SECONDS, LONGEST_SECONDS, PENDING_SECONDS = 30 * 60, 12 * 3600, 5 * 60
"""A session ends after so long without a request, after so long in any case, and without its second factor."""
MIN_CHARS, MAX_CHARS = 12, 128
_ALPHABET = "23456789abcdefghijkmnpqrstuvwxyz"
_HASHER = PasswordHasher(time_cost=2, memory_cost=46 * 1024, parallelism=1)
_AT_ONCE = BoundedSemaphore(4)
"""How many digests are made at once: each takes 46 MiB."""
_NOBODY = _HASHER.hash(secrets.token_urlsafe())
"""Looked at for a name that cannot log in, so that the time taken tells nothing."""
_LIMITS = {"both": (5, 30, 900), "name": (30, 30, 300), "address": (100, 5, 300)}
"""Failures of a name from an address, of a name, of an address: how many are free, first and longest wait (seconds)."""


@dataclass(frozen=True, slots=True)
class Session:
    """A live session. form_token: what its forms must carry. one_time: the password must be changed first.

    pending: the second factor must be given first; second_factor: the user has one; outside: as `begin` was told.
    """

    user: User
    form_token: str
    one_time: bool
    pending: bool = False
    second_factor: bool = False
    outside: bool = False


def readable(groups: int) -> str:
    """Make a random secret that people can type: groups of five characters, none of which look alike."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(groups))


def proved(db: Connection, name: str, password: str) -> bool:
    """Tell whether it is the user's password."""
    found = one(db, "queries/login/find.sql", name=name)
    return found is not None and _fits(found["password_hash"], password)


def one_time_password(db: Connection, name: str) -> str:
    """Give a user a new one-time password and end its sessions; the password is shown once and kept nowhere.

    Raises Refused for an unknown user.
    """
    user = access.find(db, name)
    if user is None or user.role == access.SYSTEM:
        raise Refused("unknown_user", f"没有名为“{name}”的用户。请核对用户名。")
    password = readable(4)
    _set(db, name, password, one_time=True)
    return password


def change_password(db: Connection, name: str, old: str, new: str, again: str) -> None:
    """Change one's own password; every session of the user ends. Raises Misused."""
    if not proved(db, name, old):
        raise Misused("wrong_password", "现在的口令不对，请重新输入。")
    if new != again:
        raise Misused("not_repeated", "两次输入的新口令不一致，请重新输入。")
    if not MIN_CHARS <= len(_plain(new)) <= MAX_CHARS:
        raise Misused("weak_password", f"新口令须有{MIN_CHARS}至{MAX_CHARS}个字符，可以是一句容易记的话。")
    if _plain(new) == _plain(old) or name.lower() in new.lower() or len(set(new)) < 5:
        raise Misused("weak_password", "新口令不能与现在的相同，不能含用户名，也不能只有几个字符反复。")
    _set(db, name, new, one_time=False)


def close(db: Connection, name: str) -> None:
    """Let a user, and its programs, in no more; what it did stays on record."""
    run_file(db, "queries/login/drop.sql", name=name)
    run_file(db, "queries/token/revoke_all.sql", name=name)


def attempt(db: Connection, name: str, address: str, step: str = "") -> bool:
    """Count an attempt to log in; False while there must be a wait. Its own transaction, committed before `prove`.

    step: what is counted by itself, so that the right password does not forget wrong codes.
    """
    return all(
        one(
            db, "queries/login/attempt.sql",
            subject=subject, free=free, first_seconds=first, longest_seconds=longest,
        ) is not None
        for subject, (free, first, longest) in zip(_subjects(name, address, step), _LIMITS.values(), strict=True)
    )  # fmt: skip


def prove(db: Connection, name: str, password: str, address: str) -> User | None:
    """Return the user if the password is right; the counted failures of the name are forgotten then."""
    found = one(db, "queries/login/find.sql", name=name)
    if not _fits(found["password_hash"] if found else _NOBODY, password) or found is None:
        return None
    if _HASHER.check_needs_rehash(found["password_hash"]):
        run_file(db, "queries/login/rehash.sql", name=name, password_hash=_HASHER.hash(_plain(password)))
    forget(db, name, address)
    return access.find(db, name)


def forget(db: Connection, name: str, address: str, step: str = "") -> None:
    """Forget the counted failures of a name, and that the attempt which was right counted against its address."""
    *subjects, whence = _subjects(name, address, step)
    run_file(db, "queries/login/forget.sql", subjects=subjects, address=whence)


def may_enter(db: Connection, name: str) -> bool:
    """Tell whether a user can log in at all: an admin gave it a password once, and has not closed it since."""
    return one(db, "queries/login/find.sql", name=name) is not None


def begin(db: Connection, user: User, *, given: bool = False, outside: bool = False) -> str:
    """Begin a session; return its cookie. Sessions and failures that are past their time are cleared away.

    given: the second factor was; without it the session of a user who has one is pending. outside: an identity
    provider told who it is, so that no password has to be changed first.
    """
    run_file(db, "queries/login/end_all.sql", name=None, longest_seconds=LONGEST_SECONDS)
    run_file(db, "queries/login/forget_old.sql")
    cookie = secrets.token_urlsafe(32)
    run_file(
        db, "queries/login/begin.sql",
        token_sha256=digest(cookie), name=user.name, form_token=secrets.token_urlsafe(24), given=given, outside=outside,
    )  # fmt: skip
    return cookie


def session(db: Connection, cookie: str) -> Session | None:
    """Find the live session of a cookie."""
    row = one(
        db, "queries/login/session.sql",
        token_sha256=digest(cookie), idle_seconds=IDLE_SECONDS, longest_seconds=LONGEST_SECONDS,
        pending_seconds=PENDING_SECONDS,
    )  # fmt: skip
    if row is None:
        return None
    user = User(row["name"], row["role"], row["provider_uscc"])
    return Session(user, row["form_token"], row["one_time"], row["pending"], row["second_factor"], row["outside"])


def end(db: Connection, cookie: str) -> None:
    """End a session."""
    run_file(db, "queries/login/end.sql", token_sha256=digest(cookie))


def first(db: Connection) -> tuple[str, str] | None:
    """Give the first admin a one-time password when nobody can log in yet; returns name and password.

    Raises Refused when there is no admin.
    """
    counted = one(db, "queries/login/count.sql")
    if counted is None or counted["logins"]:
        return None
    admins = [row["name"] for row in query(db, "queries/user/list.sql") if row["role"] == "admin"]
    if not admins:
        raise Refused("first_admin", "还没有管理员，无人可以登录。请先运行 cvl user add 用户名 --role admin。")
    return admins[0], one_time_password(db, admins[0])


def everyone(db: Connection) -> list[Row]:
    """List the users and since when they can log in."""
    return query(db, "queries/login/list.sql")


def note(
    db: Connection, event: str, *, name: str = "", subject: str = "", code: str = "", address: str = "",
    request_id: str = "",
) -> None:  # fmt: skip
    """Record who got in, what was refused and what was taken out; kept for ever."""
    run_file(
        db, "queries/login/note.sql",
        event=event, name=name, subject=subject[:300], code=code, address=address, request_id=request_id,
    )  # fmt: skip


def digest(secret: str) -> bytes:
    """Digest a random secret (SHA-256); long random ones need no slow digest."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _set(db: Connection, name: str, password: str, *, one_time: bool) -> None:
    hashed = _HASHER.hash(_plain(password))
    run_file(db, "queries/login/set.sql", name=name, password_hash=hashed, one_time=one_time)
    end_all(db, name)


def _fits(hashed: str, password: str) -> bool:
    try:
        with _AT_ONCE:
            return _HASHER.verify(hashed, _plain(password[: MAX_CHARS * 4]))
    except (VerificationError, InvalidHashError):
        return False


def _plain(password: str) -> str:
    """Write a password one way, however the keyboard composed it."""
    return unicodedata.normalize("NFKC", password)


def end_all(db: Connection, name: str) -> None:
    """End every session of a user."""
    run_file(db, "queries/login/end_all.sql", name=name, longest_seconds=LONGEST_SECONDS)


def _subjects(name: str, address: str, step: str) -> tuple[str, str, str]:
    """Name what failures are counted by; a name may be anything, so only its digest is kept."""
    who = step + digest(name).hex()[:32]
    return f"both:{who}:{address}", f"name:{who}", f"address:{address}"
