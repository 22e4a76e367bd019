"""What every run of the tests needs at its start and says at its end."""

import signal
from typing import Any

NO_BROWSER = "no Chromium"
"""The reason of a test that was left out for want of a browser."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say that the browser's tests were left out, and how to have them."""
    left = [each for each in terminalreporter.stats.get("skipped", []) if NO_BROWSER in str(each.longrepr)]
    if left:
        terminalreporter.write_line(
            f"没有找到 Chromium，略过了{len(left)}个浏览器测试。Debian、Ubuntu：apt install chromium fonts-noto-cjk"
        )


def pytest_configure() -> None:
    """Heed the signals again that a run in the background is started to ignore: programs under test inherit them."""
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)
