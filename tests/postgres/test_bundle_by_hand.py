"""The audit bundle by hand: what its page and the auditor's handbook tell to type comes out."""

import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from reconciliation import bundle, bundle_verify
from tests.postgres.test_bundle import good
from voucher.database import transaction

__all__ = ["good"]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def unpacked(good: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(good) as archive:
        archive.extractall(folder)
    return folder


def by_hand(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run the commands of the page in its order, as an auditor would type them."""
    blocks = (folder / bundle.PAGE).read_text("utf-8").split("```bash\n")[1:]
    script = "set -e -o pipefail\n" + "\n".join(block.split("```")[0] for block in blocks)
    return subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(not (shutil.which("sha256sum") and shutil.which("openssl")), reason="needs sha256sum and openssl")
def test_the_page_tells_how_to_check_it_with_common_tools_alone(good: Path, unpacked: Path, tmp_path: Path) -> None:
    verdict = bundle_verify.verify([good])
    assert verdict.until is not None
    found = by_hand(unpacked)
    assert (found.returncode, found.stdout) == (0, ""), found.stderr
    assert verdict.until.sha256 in found.stderr
    assert verdict.until.sm3 in found.stderr
    added = "acts/000000/999999999.txt"  # the handbook adds up all of acts/, so nothing may lie there beside
    for name, change in ((bundle.act_name(3), b"x"), (bundle.CHAIN, b""), (bundle.BALANCES, b"y"), (added, b"z")):
        folder = tmp_path / "copy"
        shutil.copytree(unpacked, folder)
        data = b"" if name == added else (folder / name).read_bytes()
        (folder / name).write_bytes(data + change if change else data.replace(b"maker1", b"maker2", 1))
        assert by_hand(folder).returncode != 0, name
        shutil.rmtree(folder)


def test_the_handbook_recomputes_one_company_by_hand(books: Engine, unpacked: Path) -> None:
    """Run the commands of the handbook; the three sums are those of the ledger, company by company."""
    section = (ROOT / "docs/auditor.md").read_text("utf-8").split("## 3. ")[1]
    script = section.split("```bash\n")[1].split("```")[0]
    with transaction(books, "cvl_auditor") as db:
        ours = {str(row[0]): (int(row[1]), int(row[2])) for row in db.execute(text(
            "SELECT p.uscc, sum(l.granted_fen), count(*) FROM run_line AS l INNER JOIN party AS p"
            " ON p.party_id = l.company_id WHERE l.cap_year = 2026 GROUP BY p.uscc ORDER BY p.uscc LIMIT 2"
        ))}  # fmt: skip
    for uscc, (fen, lines) in ours.items():
        done = subprocess.run(
            ["bash", "-e", "-c", script], cwd=unpacked, capture_output=True, text=True, timeout=60, check=True,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "USCC": uscc, "YEAR": "2026"},
        )  # fmt: skip
        said = done.stdout.splitlines()
        assert said[-3:] == [f"结算行之和 {fen}", f"转账之和 {fen}", f"余额表 {fen}"]
        assert len(said) == lines + 3
        assert "加减不平" not in done.stdout
