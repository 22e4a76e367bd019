"""The clock: APScheduler wakes the runner every minute; what has run is known to the database alone."""

import signal
import threading
from datetime import datetime
from types import FrameType

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine

from jobs import runner
from voucher.days import ZONE

EVERY_SECONDS = 60


def start(engine: Engine) -> int:
    """Run what is due now, then look again every minute until SIGTERM or Ctrl-C. Returns how many slots ran."""
    stop, ran = threading.Event(), [0]

    def look() -> None:
        for each in runner.tick(engine):
            ran[0] += each.fresh
            if stop.is_set():
                return

    def leave(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGINT)}
    clock = BackgroundScheduler(timezone=ZONE)
    clock.add_job(
        look, "interval", seconds=EVERY_SECONDS, max_instances=1, coalesce=True, next_run_time=datetime.now(ZONE)
    )
    clock.start()
    try:
        stop.wait()
    finally:
        clock.shutdown(wait=True)
        for number, handler in before.items():
            signal.signal(number, handler)
    return ran[0]
