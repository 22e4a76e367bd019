"""A format that misbehaves, to see the child process held to its limits."""

import tempfile
import time
from pathlib import Path

from importers.papers import Paper


def parse(word: bytes) -> list[Paper]:
    """Take too much memory, write a file, or take too long."""
    if word == b"greedy":
        bytearray(4 << 30)
    elif word == b"write":
        Path(tempfile.gettempdir(), "written").write_bytes(b"x")
    else:
        time.sleep(60)
    return []
