"""What takes long to read is kept: for those who changed nothing, for a while, and read anew behind their backs."""

from datetime import date
from typing import Any

import pytest

from portal.kept import Reading
from tests.postgres.desk import line
from tests.postgres.portal.conftest import Browser, Portal, as_provider
from voucher import acts
from voucher.database import run


class AtOnce:
    """A thread that has ended before its maker goes on."""

    def __init__(self, target: Any, args: tuple[Any, ...], daemon: bool) -> None:
        assert daemon
        self.work = lambda: target(*args)

    def start(self) -> None:
        self.work()


def shown(browser: Browser) -> int:
    browser.get("/dashboard")
    (words,) = browser.page.xpath("//p[starts-with(., '截至账本第')]/text()")
    return int(words.split(" ")[1])


def sealed(portal: Portal) -> int:
    return run(portal.engine, acts.cutoff)


@pytest.mark.parametrize(("seconds", "rest"), [(0.2, 4.0), (7.5, 150.0), (60.0, 150.0)])
def test_a_reading_rests_by_what_it_cost_and_never_past_half_its_age(seconds: float, rest: float) -> None:
    found = Reading("", 1, date(2026, 8, 15), 1_000.0, seconds)
    assert not found.rested(1_000.0 + rest)
    assert found.rested(1_000.0 + rest + 0.001)


def test_a_reading_is_shown_until_it_is_old_or_its_reader_acts(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.kept.Thread", AtOnce)
    monkeypatch.setattr("portal.kept.COSTLY_SECONDS", -1.0)
    maker, checker = portal.as_user("maker1"), portal.as_user("checker1")
    first = shown(maker)
    assert first == sealed(portal) == shown(checker)
    portal.desk.take([line("kept1", "10.00")], as_provider("provider1"))
    monkeypatch.setattr("portal.kept.SHARE", float("inf"))
    assert shown(maker) == shown(maker) == first  # it has not rested long enough
    monkeypatch.setattr("portal.kept.SHARE", 0)
    assert shown(maker) == first  # and now it was read anew
    assert shown(maker) == sealed(portal) == first + 1
    portal.desk.take([line("kept2", "10.00")], as_provider("provider1"))
    maker.post("/unit", {"next": "/"})
    assert shown(maker) == sealed(portal) == first + 2
    portal.desk.take([line("kept3", "10.00")], as_provider("provider1"))
    monkeypatch.setattr("portal.kept.LONGEST_SECONDS", 0.0)
    assert shown(checker) == sealed(portal) == first + 3
    monkeypatch.setattr("portal.kept.LONGEST_SECONDS", 300.0)
    portal.desk.take([line("kept4", "10.00")], as_provider("provider1"))
    monkeypatch.setenv("CVL_TODAY", "2026-08-16")
    assert shown(checker) == sealed(portal)
    portal.desk.take([line("kept5", "10.00")], as_provider("provider1"))
    monkeypatch.setattr("portal.kept.COSTLY_SECONDS", float("inf"))
    assert shown(checker) == sealed(portal)


def test_a_reading_that_fails_behind_the_visitors_back_is_read_by_the_next(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.kept.Thread", AtOnce)
    monkeypatch.setattr("portal.kept.COSTLY_SECONDS", -1.0)
    monkeypatch.setattr("portal.kept.SHARE", 0)
    maker = portal.as_user("maker2")
    first = shown(maker)
    portal.desk.take([line("kept6", "10.00")], as_provider("provider1"))
    with monkeypatch.context() as broken:
        broken.setattr("portal.pages.dashboard.charts", lambda _: 1 / 0)
        assert shown(maker) == first
    assert [shown(maker), shown(maker)] == [first, first + 1]
