"""Logs: one line each, with who and what, and no account numbers in them."""

import json
import logging
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as some

from console import door, logs
from console.answer import Answer
from voucher.errors import Refused


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> logging.Logger:
    monkeypatch.setenv("CVL_LOG", "json")
    monkeypatch.delenv("CVL_LOG_FILE", raising=False)
    logs.start()
    return logging.getLogger("cvl.test")


def test_a_record_is_one_json_line_with_its_fields(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    log.info("导入 %s\n第二行", "a.csv", extra={"upload": 7, "user": "maker1", "run": "3"})
    entry = json.loads(capsys.readouterr().err)
    assert entry["message"] == "导入 a.csv\n第二行"
    assert (entry["upload"], entry["user"], entry["run"], entry["level"]) == ("7", "maker1", "3", "info")


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(("words", "who"), [([], None), (["--as", "maker1"], "maker1")])
def test_a_reading_command_takes_who_asks_and_only_notes_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str], who: str | None
) -> None:  # fmt: skip
    """Scripts give --as to every command; a reading one asks for nobody, and its help does not speak of it."""
    monkeypatch.delenv("CVL_USER", raising=False)
    reading = door.command(door.Verb("balance", lambda: Answer({}, []), "查看。", database=False))
    assert reading.main(words, standalone_mode=False) == 0
    assert json.loads(capsys.readouterr().err).get("user") == who
    assert "--as " not in reading.get_help(click.Context(reading))


def test_a_message_is_masked_whoever_wrote_it(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    log.info("付给 %s", "6222000011112222", extra={"user": "6222000011113333"})
    said = capsys.readouterr().err
    assert "62220000" not in said
    assert "…2222" in said


def test_an_exception_is_logged_without_its_values(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        int("户名：某人 6222000011112222")
    except ValueError:
        log.exception("没有办成")
    said = capsys.readouterr().err
    assert "某人" not in said
    assert "6222" not in said
    assert json.loads(said)["error"] == "ValueError"
    assert json.loads(said)["place"].startswith("test_logs.py:")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("6222000011112222", "…2222"), ("账号 6222 0000 1111 2222 的", "账号 …2222 的"), ("13800138000", "13800138000"),
        ("50010119900101123X", "…123X"), ("2026-08-15", "2026-08-15"), ("第12号", "第12号"), ("12345.67", "12345.67"),
    ],
)  # fmt: skip
def test_long_numbers_are_masked(text: str, masked: str) -> None:
    assert logs.masked(text) == masked


@given(some.text(some.sampled_from("0123456789"), min_size=14, max_size=30))
def test_no_account_number_gets_through(number: str) -> None:
    assert number not in logs.masked(f"付给 {number}。")


def test_without_json_a_line_is_plain(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CVL_LOG", "text")
    logs.start()
    logging.getLogger("cvl.test").warning("一句话", extra={"user": "maker1"})
    said = capsys.readouterr().err
    assert "warning 一句话" in said
    assert "user=maker1" in said


def test_a_command_is_logged_with_who_and_how_but_without_what_was_typed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "cvl.log"
    monkeypatch.setenv("CVL_LOG_FILE", str(path))
    with logs.command("settle draft", "maker1") as ended:
        ended(Answer({"run": "7"}, [], 3))
    with pytest.raises(Refused), logs.command("import", None):
        raise Refused("no_file", "找不到 /某人/6222000011112222.csv")
    with pytest.raises(KeyError), logs.command("import", "maker1"):
        raise KeyError("6222000011112222")
    done, refused, failed = map(json.loads, path.read_text("utf-8").splitlines())
    assert (done["command"], done["run"], done["status"], done["user"]) == ("settle draft", "7", "3", "maker1")
    assert (refused["message"], refused["status"], refused["level"]) == ("refused no_file", "1", "warning")
    assert "user" not in refused
    assert failed["error"] == "KeyError"
    assert "6222" not in path.read_text("utf-8")


def test_nothing_is_logged_unless_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.delenv("CVL_LOG", raising=False)
    monkeypatch.delenv("CVL_LOG_FILE", raising=False)
    with logs.command("doctor", None) as ended:
        ended(Answer({}))
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("CVL_LOG_FILE", str(tmp_path))
    with logs.command("doctor", None) as ended:
        ended(Answer({}))
    assert "日志写不到" in capsys.readouterr().err
