"""The second factor of a log-in: codes of an authenticator app (RFC 6238), and recovery codes for when it is lost.

A code is good for half a minute before and after its own, and no code is taken twice, however fast or often it comes.
"""

import hmac
import re
import time
import unicodedata

import pyotp
from sqlalchemy import Connection

from voucher.database import Row, one, run_file
from voucher.errors import Misused
from voucher.logins import digest, readable

STEP_SECONDS, AROUND, DIGITS = 30, 1, 6
"""How long a code lasts, how many before and after the present one are taken too, how long it is."""
RECOVERY_CODES, RECOVERY_GROUPS = 10, 3
ISSUER = "算力券台账"
STEP = "code:"
"""Wrong codes are counted under this, apart from wrong passwords."""


def find(db: Connection, name: str) -> Row | None:
    """Find the second factor of a user, confirmed or not, with how many recovery codes are left."""
    return one(db, "queries/second/find.sql", name=name)


def start(db: Connection, name: str) -> None:
    """Make a new secret, which counts once a code of it was given. Raises Misused when there is a factor already."""
    made = run_file(db, "queries/second/start.sql", name=name, secret=pyotp.random_base32(32))
    if not made:
        raise Misused("has_second", "已经设置了二次验证。要换一部手机，请先停用。")


def address(name: str, secret: str) -> str:
    """Write the secret as authenticator apps read it from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def matching(secret: str, code: str, now: float) -> int | None:
    """Return the step of time that a code belongs to, None where it is of none around now.

    secret: base32; now: seconds since 1970. Source: RFC 6238, section 4.
    """
    present = int(now) // STEP_SECONDS
    generator, found = pyotp.HOTP(secret, digits=DIGITS), None
    for step in range(max(present - AROUND, 0), present + AROUND + 1):
        if hmac.compare_digest(generator.at(step).encode(), code.encode()):
            found = step
    return found


def give(db: Connection, name: str, typed: str) -> str:
    """Take a code or a recovery code of a user; returns which (`code`, `recovery`), or nothing where it is neither.

    Raises nothing: whoever asks counts attempts first.
    """
    text = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", typed)).lower()
    factor = find(db, name)
    if factor is None:
        return ""
    if re.fullmatch(r"[0-9]{6}", text, re.ASCII):
        step = matching(factor["secret"], text, time.time())
        fresh = step is not None and run_file(
            db, "queries/second/take.sql", name=name, secret=factor["secret"], step=step
        )
        return "code" if fresh else ""
    used = factor["confirmed"] and run_file(db, "queries/second/code_use.sql", name=name, code_sha256=digest(text))
    return "recovery" if used else ""


def recovery_codes(db: Connection, name: str) -> list[str]:
    """Make new recovery codes in place of the old ones; they are returned once and kept nowhere."""
    codes = [readable(RECOVERY_GROUPS) for _ in range(RECOVERY_CODES)]
    run_file(db, "queries/second/codes_drop.sql", name=name)
    digests = [digest(code.replace("-", "")) for code in codes]
    run_file(db, "queries/second/codes_add.sql", name=name, codes_sha256=digests)
    return codes


def drop(db: Connection, name: str) -> bool:
    """Take the second factor of a user away; False when there was none."""
    return bool(run_file(db, "queries/second/drop.sql", name=name))
