"""Signals: a program that is told to stop leaves no server behind."""

import os
import signal
from pathlib import Path

import pytest

from tests.postgres.embedded.programs import USE, alive, ask, leave, program, until, user
from voucher.embedded import running


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_terminated_program_leaves_no_server_behind(home: Path, number: int) -> None:
    with user(home) as (other, _):
        other.send_signal(number)
        assert other.wait(20) == 128 + number
    assert not alive(home)


def test_a_program_terminated_while_the_server_starts_leaves_none_behind(home: Path) -> None:
    with program(home) as other:
        until((home / "postgres/data/postmaster.pid").exists)
        other.terminate()
        assert other.wait(20) == 143
    assert not alive(home)


def test_handlers_of_the_program_are_left_alone_and_ours_are_taken_back(home: Path) -> None:
    def theirs(_number: int, _frame: object) -> None:
        return

    term, hup = signal.signal(signal.SIGTERM, theirs), signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with running(home):
            assert signal.getsignal(signal.SIGTERM) is theirs
            assert signal.getsignal(signal.SIGHUP) is not signal.SIG_DFL
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, term)
        signal.signal(signal.SIGHUP, hup)


def test_ctrl_c_reaches_the_program_and_not_the_server(home: Path) -> None:
    code = """
with running(home) as url:
    try:
        print(url, flush=True)
        sys.stdin.read()
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        sys.stdin.read()
"""
    with user(home, code) as (other, url):
        os.killpg(other.pid, signal.SIGINT)
        assert other.stdout is not None
        assert other.stdout.readline() == "interrupted\n"
        assert ask(url) == 1
        assert leave(other) == 0


def test_a_second_ctrl_c_waits_until_the_server_is_down(home: Path) -> None:
    code = """
stop = embedded_server.stop
def interrupted(site):
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    stop(site)
    print("stopped", flush=True)
embedded_server.stop = interrupted
""" + USE.replace("sys.stdin.read()", "sys.exit(0)")
    with user(home, code) as (other, _):
        assert other.stdout is not None
        assert other.stdout.readline() == "stopped\n"
        assert other.wait(20) != 0
