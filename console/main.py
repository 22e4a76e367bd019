"""The `cvl` command: its groups in the order of the walk, and the way in."""

import sys
from collections.abc import Iterable, Sequence

from console import door
from console.chinese import Group
from console.door import Verb
from console.verbs import GROUPS, SECTIONS, VERBS


def build(verbs: Iterable[Verb]) -> Group:
    """Make the tree of commands out of the verbs' paths."""
    root = Group(
        "cvl",
        help="算力券台账：登记、受理、结算、复核、对账。\n先运行 cvl init；想先看一遍全程，运行 cvl demo。",
    )
    root.sections = SECTIONS
    for verb in verbs:
        *parents, _ = verb.path.split(" ")
        group = root
        if parents and parents[0] in root.commands and not isinstance(root.commands[parents[0]], Group):
            root.add_command(door.command(verb), verb.path)  # a second word behind a command that has files
            continue
        for parent in parents:
            if parent not in group.commands:
                group.add_command(Group(parent, help=GROUPS[parent]))
            found = group.commands[parent]
            assert isinstance(found, Group)
            group = found
        group.add_command(door.command(verb))
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `cvl` on a command line; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal in a Chinese code page lacks some characters of names; a file or program gets UTF-8.
            stream.reconfigure(errors="backslashreplace", encoding=None if stream.isatty() else "utf-8")
    return door.guarded(build(VERBS), sys.argv[1:] if arguments is None else arguments)
