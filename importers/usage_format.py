"""Usage files as formats: a profile, and the rules about its lines if there are any."""

import calendar
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from importers import parquet
from importers.columns import Header
from importers.messages import make
from importers.parts import UsageChunk
from importers.usage_profile import Profile
from importers.usage_reading import About, Rule, read_usage
from voucher.problem import Problem

EVIDENCE = "usage"
_FIRST = date(1970, 1, 1)


def _nothing(_header: Header) -> Iterable[Problem]:
    return ()


@dataclass(frozen=True, slots=True)
class UsageFormat:
    """A format made of a profile. about: what is to be said of a header beside what is missing."""

    profile: Profile
    rules: Sequence[Rule] = ()
    about: About = _nothing
    EVIDENCE: str = EVIDENCE
    KINDS: tuple[str, ...] = ("csv", "xlsx")

    @property
    def NAME(self) -> str:
        """Return the name as shown."""
        return self.profile.name

    @property
    def basis(self) -> str:
        """Tell whether the amounts are net or gross of tax."""
        return self.profile.basis

    def matches(self, header: Sequence[str]) -> bool:
        """Tell whether a row is this file's header."""
        return self.profile.matches(header)

    def read(self, path: Path, kind: str, *, today: date, invoice: str = "") -> Iterator[UsageChunk | Problem]:
        """Yield the sums and problems of a file. invoice: the number of lines that name none."""
        latest = 0
        with parquet.as_csv(path, kind) as source:
            if isinstance(source, Problem):
                yield source
                return
            plain = "csv" if kind == "parquet" else kind
            for part in read_usage(source, plain, self.profile, self.rules, invoice=invoice, about=self.about):
                if isinstance(part, UsageChunk):
                    latest = max([latest, *(last for _, _, last, _ in part.sums)])
                yield part
        if latest and self.profile.final_day and today <= self._final_on(latest):
            yield make("usage_not_final", day=self.profile.final_day)

    def _final_on(self, latest: int) -> date:
        """Return the day on which the bill of the latest day's month is final."""
        last = _FIRST + timedelta(days=latest)
        end = last.replace(day=calendar.monthrange(last.year, last.month)[1])
        return end + timedelta(days=self.profile.final_day)
