"""What takes long to read and follows from the books alone: kept for some minutes, and read anew in the background.

What is shown says up to which seal it reads. When something was sealed since and the reading has rested for a while, a
thread reads anew while the visitor gets what is there; but whoever has acted since never gets what was before. What
reads fast is always read.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import date
from threading import Lock, Thread
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from voucher import acts
from voucher.database import run
from voucher.days import business_day

Result = TypeVar("Result")
COSTLY_SECONDS, LONGEST_SECONDS, MOST, SHARE = 0.1, 300.0, 200, 20
"""What reads faster is always read; how long a reading is shown; how many are kept; in so many times the time that it
took it is read anew once, however often something is sealed, and at half its age at the latest, so that nobody waits
for what takes very long: reading all the time would slow everybody else."""
_log = logging.getLogger("cvl.portal")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read. no: of the last seal then; began: of the clock that only runs on; seconds: how long it took."""

    value: Any
    no: int
    today: date
    began: float
    seconds: float

    def rested(self, now: float) -> bool:
        """Tell whether it may be read anew behind a visitor's back."""
        return now - self.began > min(SHARE * self.seconds, LONGEST_SECONDS / 2)


class Kept:
    """The readings of one server process; each key is read by one thread at a time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._readings: OrderedDict[Hashable, Reading] = OrderedDict()
        self._keys: dict[Hashable, Lock] = {}
        self._acted: dict[str, float] = {}

    def acted(self, name: str) -> None:
        """Note that a user has changed something, or wants to see what is there now."""
        with self._lock:
            self._acted[name] = time.monotonic()

    def read(self, engine: Engine, name: str, key: Hashable, work: Callable[[Connection], Result]) -> Result:
        """Return what work reads as the auditor's role, or what it read of late; name: of the user who asks."""
        asked, found = time.monotonic(), self._readings.get(key)
        if found is None or not self._good(found, name, asked):
            return self._anew(engine, key, work, asked).value  # type: ignore[no-any-return]
        if found.rested(asked) and found.no != run(engine, acts.cutoff, "cvl_auditor") and not self._keys[key].locked():
            Thread(target=self._quietly, args=(engine, key, work, asked), daemon=True).start()
        return found.value  # type: ignore[no-any-return]

    def _good(self, found: Reading, name: str, asked: float) -> bool:
        """Tell whether a reading may be shown: it took long, it is of today, and nobody who asks has acted since."""
        since = max(asked - LONGEST_SECONDS, self._acted.get(name, 0.0))
        return found.seconds > COSTLY_SECONDS and found.began > since and found.today == business_day()

    def _anew(self, engine: Engine, key: Hashable, work: Callable[[Connection], Any], asked: float) -> Reading:
        """Read, unless another thread has begun to after this was asked for."""
        with self._lock:
            turn = self._keys.setdefault(key, Lock())
        with turn:
            found = self._readings.get(key)
            if found is not None and found.began >= asked:
                return found
            began, today = time.monotonic(), business_day()
            no, value = run(engine, lambda db: (acts.cutoff(db), work(db)), "cvl_auditor")
            made = Reading(value, no, today, began, time.monotonic() - began)
            with self._lock:
                self._readings[key] = made
                self._readings.move_to_end(key)
                if len(self._readings) > MOST:
                    self._readings.popitem(last=False)
        return made

    def _quietly(self, engine: Engine, key: Hashable, work: Callable[[Connection], Any], asked: float) -> None:
        """Read in the background; when it fails the next visitor reads and is told."""
        try:
            self._anew(engine, key, work, asked)
        except Exception:
            _log.exception("not read")
