"""A zip or a folder stands for its files, each by itself."""

import io
import zipfile
from pathlib import Path

import pytest

from importers.expand import is_bundle, members
from importers.limits import BUNDLE_LIMITS, Limits


def pack(entries: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in entries.items():
            packed.writestr(name, data)
    return file.getvalue()


def seen(path: Path, limits: Limits = BUNDLE_LIMITS) -> list[tuple[str, object]]:
    return [
        (m.name, m.path.read_bytes() if m.path is not None else [p.code for p in m.problems])
        for m in members(path, limits)
    ]


def test_a_zip_gives_its_files_in_order_of_their_names(tmp_path: Path) -> None:
    path = tmp_path / "包.zip"
    path.write_bytes(pack({"b.xml": b"<b/>", "a/发票.xml": b"<a/>", "__MACOSX/._a": b"x", "a/.hidden": b"x"}))
    assert is_bundle(path)
    assert seen(path) == [("包.zip/a/发票.xml", b"<a/>"), ("包.zip/b.xml", b"<b/>")]


def test_a_zip_within_a_zip_is_opened_once(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    inner = pack({"x.xml": b"<x/>", "deep.zip": pack({"y.xml": b"<y/>"})})
    path.write_bytes(pack({"inner.zip": inner, "z.csv": b"1,2"}))
    assert seen(path) == [
        ("p.zip/inner.zip/deep.zip", ["nested_too_deep"]), ("p.zip/inner.zip/x.xml", b"<x/>"), ("p.zip/z.csv", b"1,2"),
    ]  # fmt: skip


def test_one_bad_member_stops_no_other(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    data = bytearray(pack({"a.xml": b"<a/>", "b.xml": b"<b>" + bytes(range(256)) * 9, "../c.xml": b"<c/>"}))
    at = data.index(b"b.xml") + 5
    data[at + 20] ^= 0xFF
    path.write_bytes(bytes(data))
    found = dict(seen(path))
    assert found["p.zip/a.xml"] == b"<a/>"
    assert found["p.zip/b.xml"] == ["zip_broken"]
    assert found["p.zip/../c.xml"] == ["member_path"]


def test_a_bomb_is_given_up_in_pieces_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    path.write_bytes(pack({"a.xml": b"<a/>", "bomb.csv": b"0" * (40 << 20), "z.xml": b"<z/>"}))
    assert dict(seen(path)) == {
        "p.zip/a.xml": b"<a/>", "p.zip/bomb.csv": ["member_too_large"], "p.zip/z.xml": b"<z/>",
    }  # fmt: skip


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    path.write_bytes(pack({f"{n}.xml": b"<a/>" for n in range(4)}))
    assert seen(path, Limits(zip_entries=3)) == [("p.zip", ["too_many_members"])]


def test_a_name_written_in_gbk_is_read(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    data = pack({"AAAA.xml": b"<a/>"}).replace(b"AAAA", "发票".encode("gbk"))
    path.write_bytes(data)
    assert seen(path) == [("p.zip/发票.xml", b"<a/>")]


def test_a_folder_gives_its_files_and_no_litter(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a.xml").write_bytes(b"<a/>")
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "z.zip").write_bytes(pack({"b.xml": b"<b/>"}))
    (tmp_path / "link.xml").symlink_to(tmp_path / "sub/a.xml")
    assert seen(tmp_path) == [("sub/a.xml", b"<a/>"), ("z.zip/b.xml", b"<b/>")]


@pytest.mark.parametrize("data", [b"", b"PK\x05\x06" + b"\0" * 18, b"PK\x03\x04junk", pack({})])
def test_what_is_no_zip_says_so(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "p.zip"
    path.write_bytes(data)
    found = list(members(path))
    assert len(found) == 1
    assert found[0].problems or found[0].path == path
