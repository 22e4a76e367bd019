"""Every SQL statement of the product, as files read by name."""

from functools import cache
from importlib.resources import files


@cache
def read(name: str) -> str:
    """Return the text of one SQL file, e.g. ``read("queries/settle/draft.sql")``.

    Raises FileNotFoundError when there is no such file.
    """
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


@cache
def names(folder: str) -> tuple[str, ...]:
    """List the SQL files of a folder by name, sorted, e.g. ``names("checks")``; paths are good for ``read``."""
    found = (entry.name for entry in files(__name__).joinpath(folder).iterdir())
    return tuple(f"{folder}/{name}" for name in sorted(found) if name.endswith(".sql"))
