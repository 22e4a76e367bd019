"""A format that misbehaves, to see the child process held to its limits."""

import time
from pathlib import Path

from importers.papers import Paper


def parse(path: Path) -> list[Paper]:
    """Take too much memory, write a file, or take too long."""
    word = path.read_bytes()
    if word == b"greedy":
        bytearray(4 << 30)
    elif word == b"write":
        path.with_name("written").write_bytes(b"x")
    else:
        time.sleep(60)
    return []
