"""What a usage file's columns mean: a declared profile, one TOML file for each cloud, beside the other formats.

A profile names the columns (by any of several headings), the time zone, the currency, whether amounts hold tax, and
the words of units. Another cloud is one more file in importers/formats/.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from importers.columns import header_name

FIELDS = ("number", "amount", "from", "until", "unit", "quantity", "currency", "company")
NEEDED = ("amount", "from")
"""Fields without a column of which nothing can be told; a number may also come with the file."""


@dataclass(frozen=True, slots=True)
class Profile:
    """columns: field to the headings it may have, best first. telling: headings, one of which tells the file.

    basis: whether amounts hold tax. zone: of times that name none; utc: times must name UTC. last_day: an end is a last
    day as on paper, else an instant. currency: the words for yuan, the only one taken. final_day: of the following
    month, on which a month's bill is final; 0: never said. units: word to ours.
    """

    name: str
    title: str
    basis: Literal["net", "gross"]
    zone: str
    telling: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    currency: tuple[str, ...] = ("CNY",)
    final_day: int = 0
    utc: bool = False
    last_day: bool = False
    units: Mapping[str, str] | None = None

    def matches(self, header: Sequence[str]) -> bool:
        """Tell whether a header row is one of this kind of file."""
        names = {header_name(cell) for cell in header}
        return any(header_name(name) in names for name in self.telling) and len(self.missing(header)) < len(NEEDED)

    def missing(self, header: Sequence[str]) -> list[str]:
        """List what nothing can be told without and a header row does not have, by its first heading."""
        found = self.headings(header)
        return [self.columns[field][0] for field in NEEDED if field not in found]

    def _among(self, field: str, names: set[str]) -> str:
        """Return the heading of a field that is among the names, empty for none."""
        return next((name for name in self.columns.get(field, ()) if header_name(name) in names), "")

    def headings(self, header: Sequence[str]) -> dict[str, str]:
        """Return which heading each field has in a header row; fields without one are left out."""
        names = {header_name(cell) for cell in header}
        found = {field: self._among(field, names) for field in FIELDS}
        return {field: name for field, name in found.items() if name}


def load(data: bytes) -> Profile:
    """Read a profile from TOML. Raises ValueError or KeyError for what is no profile: a fault of the program."""
    table = tomllib.loads(data.decode("utf-8"))
    columns = {field: tuple(names) for field, names in table.pop("columns").items()}
    if unknown := columns.keys() - set(FIELDS):
        raise ValueError(f"unknown fields: {sorted(unknown)}")
    lists: dict[str, Any] = {name: tuple(table.pop(name)) for name in ("telling", "currency") if name in table}
    return Profile(columns=columns, **lists, **table)
