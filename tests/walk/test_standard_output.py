"""An answer that cannot be printed is no refusal: the work is done."""

import os
import subprocess
import sys

import pytest

from tests.walk.desk import ROOT, Desk


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_full_disk_under_the_answer_does_not_deny_what_was_booked(desk: Desk, form: list[str]) -> None:
    before = desk.seals()
    words = [sys.executable, "-m", "console", "user", "add", "maker7", "--role", "maker", "--as", "admin1", *form]
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT)
    assert (done.returncode, desk.seals()) == (3, before + 1)
    assert "已经办完" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_closed_standard_output_is_no_obstacle(desk: Desk) -> None:
    before = desk.seals()
    words = f"exec {sys.executable} -m console user add maker7 --role maker --as admin1 >&-"
    assert (subprocess.run(words, shell=True, cwd=ROOT).returncode, desk.seals()) == (0, before + 1)
