"""The audit bundle as a file: what lies where in the zip, and how its bytes are fixed.

A zip of stored members with one fixed time, in one order: how to check it; each act's sealed bytes; the chain; the
balances; the policy files; the manifest; the sums of all of these. Its comment is the SHA-256 of all bytes before the
64 hex digits themselves, so that a changed byte of the wrapping is found as surely as one of the contents.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, BinaryIO

from voucher.seal import Digester, Digests
from voucher.sealed import SEALED

FORMAT = "cvl-audit-1"
PAGE, CHAIN, BALANCES, MANIFEST = "HOW-TO-CHECK.md", "chain.txt", "balances.txt", "manifest.json"
SUMS, SM3_SUMS = "SHA256SUMS", "SM3SUMS"
TABLES: Mapping[str, str] = {sealed.table: sealed.columns for sealed in SEALED}
"""Table to its columns, as the lines of an act hold them."""
_TIME = (1980, 1, 1, 0, 0, 0)
_MARK = b"sha256:"
_BLANK = b"0" * 64
_CHUNK = 1 << 20


def act_name(no: int) -> str:
    """Name the member that holds an act's bytes; a thousand of them share a folder."""
    return f"acts/{no // 1000:06d}/{no:09d}.txt"


def policy_name(policy_id: str) -> str:
    """Name the member that holds a policy file."""
    return f"policies/{policy_id}.toml"


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the chain: a seal number and both chain digests after it; number 0 is before the first act."""

    no: int
    sha256: str
    sm3: str


def manifest(since: Point, until: Point, policies: Sequence[str]) -> bytes:
    """Write the manifest: from where to where the bundle goes, and what the columns of the lines are."""
    value = {
        "format": FORMAT,
        "since": {"no": since.no, "sha256": since.sha256, "sm3": since.sm3},
        "until": {"no": until.no, "sha256": until.sha256, "sm3": until.sm3},
        "acts": until.no - since.no,
        "policies": list(policies),
        "tables": dict(TABLES),
    }
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def read_manifest(data: bytes) -> tuple[Point, Point, list[str]]:
    """Read a manifest. Raises ValueError when it is not one that `manifest` writes, to the byte."""
    try:
        value: dict[str, Any] = json.loads(data)
        since, until = (Point(int(value[w]["no"]), value[w]["sha256"], value[w]["sm3"]) for w in ("since", "until"))
        policies = [str(each) for each in value["policies"]]
    except (KeyError, TypeError) as error:
        raise ValueError(str(error)) from error
    if manifest(since, until, policies) != data:
        raise ValueError("another manifest")
    return since, until, policies


def page(since: Point) -> bytes:
    """Write the page on how to check the bundle by hand."""
    text = files("reconciliation").joinpath("how_to_check.md").read_text("utf-8")
    return text.replace("{since_sha256}", since.sha256).replace("{since_sm3}", since.sm3).encode()


def names(since: Point, until: Point, policies: Sequence[str]) -> list[str]:
    """List the members of a bundle in their order."""
    acts = [act_name(no) for no in range(since.no + 1, until.no + 1)]
    return [PAGE, *acts, CHAIN, BALANCES, *map(policy_name, policies), MANIFEST, SUMS, SM3_SUMS]


class Archive:
    """Write a bundle member by member into a seekable file; `close` adds the sums and the mark at the end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED)
        self._sums: list[tuple[str, Digests]] = []

    def __enter__(self) -> "Archive":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the file, also of one that there was no room for; after `close` there is nothing to do."""
        with suppress(OSError, ValueError):
            self._zip.close()

    def add(self, name: str, data: bytes | BinaryIO) -> Digests:
        """Add a member: bytes, or a file from its beginning. Returns its digests."""
        source = io.BytesIO(data) if isinstance(data, bytes) else data
        entry = zipfile.ZipInfo(name, _TIME)
        entry.create_system = 3
        entry.external_attr = 0o644 << 16
        entry.file_size = source.seek(0, io.SEEK_END)
        source.seek(0)
        digester = Digester()
        with self._zip.open(entry, "w") as member:
            while chunk := source.read(_CHUNK):
                digester.update(chunk)
                member.write(chunk)
        digests = digester.digests()
        self._sums.append((name, digests))
        return digests

    def close(self) -> str:
        """Add both lists of sums and the mark at the end. Returns the SHA-256 of the whole file."""
        sums = list(self._sums)
        self.add(SUMS, "".join(f"{each.sha256}  {name}\n" for name, each in sums).encode())
        self.add(SM3_SUMS, "".join(f"{each.sm3} *{name}\n" for name, each in sums).encode())
        self._zip.comment = _MARK + _BLANK
        self._zip.close()
        size = self._file.seek(0, io.SEEK_END)
        hasher = digest(self._file, size - len(_BLANK))
        mark = hasher.hexdigest().encode()
        self._file.seek(size - len(_BLANK))
        self._file.write(mark)
        self._file.flush()
        hasher.update(mark)
        return hasher.hexdigest()


def digest(file: BinaryIO, size: int) -> "hashlib._Hash":
    """Digest a file's first bytes."""
    hasher = hashlib.sha256()
    file.seek(0)
    while size and (chunk := file.read(min(_CHUNK, size))):
        hasher.update(chunk)
        size -= len(chunk)
    return hasher


def whole(file: BinaryIO) -> bool:
    """Tell whether a file ends with the digest of all bytes before it, as `Archive.close` wrote it."""
    size = file.seek(0, io.SEEK_END)
    end = len(_MARK) + len(_BLANK)
    if size <= end:
        return False
    hasher = digest(file, size - len(_BLANK))
    file.seek(size - end)
    return file.read() == _MARK + hasher.hexdigest().encode()
