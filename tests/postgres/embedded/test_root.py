"""As root: the server runs under another account, and nothing around it is changed."""

import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.postgres.embedded.programs import as_root, ask, refused
from voucher import embedded_binaries
from voucher.embedded import bin_dir, running
from voucher.errors import Refused


@as_root
def test_as_root_programs_in_a_private_folder_are_copied_once_and_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CVL_PG_BIN", raising=False)
    account = embedded_binaries.account_for(tmp_path)
    package = bin_dir().parent.parent
    for folder in (package, package.with_name(f"{package.name}.libs")):
        (tmp_path / folder.name).symlink_to(folder)  # the account cannot even walk to the link
    tmp_path.chmod(0o700)
    private = tmp_path / package.name / "pginstall18/bin"
    monkeypatch.setenv("CVL_PG_BIN", str(private))
    public = Path(tempfile.mkdtemp(dir="/var/tmp"))
    public.chmod(0o755)
    monkeypatch.setattr(embedded_binaries, "COPIES", public / "copies")
    mask = os.umask(0o077)
    try:
        usable = embedded_binaries.usable_bin_dir(private, account)
        assert usable.is_relative_to(public)
        for name in ("initdb", "pg_ctl", "postgres"):
            assert embedded_binaries.run([usable / name, "--version"], account=account, output=2) == 0
        (copy,) = (public / "copies").glob("18-*")
        assert {stat.S_IMODE(folder.stat().st_mode) for folder in copy.rglob("*/")} == {0o755}
        assert {file.stat().st_uid for file in copy.rglob("*")} == {0}
        before = usable.stat()
        assert embedded_binaries.usable_bin_dir(private, account) == usable
        assert (usable.stat().st_ino, usable.stat().st_mtime) == (before.st_ino, before.st_mtime)
    finally:
        os.umask(mask)
        shutil.rmtree(public)


@as_root
def test_as_root_reachable_programs_are_used_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = embedded_binaries.account_for(tmp_path)
    monkeypatch.setenv("CVL_PG_BIN", "/usr/lib/postgresql/15/bin")
    if not Path("/usr/lib/postgresql/15/bin/initdb").exists():
        pytest.skip("no PostgreSQL 15 on this machine")
    assert embedded_binaries.usable_bin_dir(bin_dir(), account) == bin_dir()


@as_root
def test_as_root_no_parent_of_the_home_is_changed_and_none_need_be_open(home: Path) -> None:
    modes = {parent: stat.S_IMODE(parent.stat().st_mode) for parent in home.parents}
    home.parent.chmod(0o700)
    with running(home) as url:
        assert ask(url) == 1
        assert (home / "postgres/data").stat().st_uid != 0
    assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700
    home.parent.chmod(modes[home.parent])
    assert {parent: stat.S_IMODE(parent.stat().st_mode) for parent in home.parents} == modes


@as_root
def test_as_root_data_keep_their_account_and_those_of_root_are_refused(home: Path) -> None:
    data = home / "postgres/data"
    before = data.stat()
    subprocess.run(["chown", "-R", "65534:65534", data], check=True)
    try:
        with running(home) as url:
            assert ask(url) == 1
        assert data.stat().st_uid == 65534
        os.chown(data, 0, 0)
        with refused(Refused, "data_owned_by_root") as said, running(home):
            pass
        assert "chown" in said[0]
    finally:
        subprocess.run(["chown", "-R", f"{before.st_uid}:{before.st_gid}", data], check=True)
