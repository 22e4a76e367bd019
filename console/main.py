"""The `cvl` command: its groups in the order of the walk, and the way in."""

import os
import sys
from collections.abc import Iterable, Sequence

from console import door
from console.chinese import Group
from console.door import Verb
from console.verbs import SECTIONS, WORDS, verbs


def build(given: Iterable[Verb]) -> Group:
    """Make the tree of commands out of the verbs' paths; of the other first words only what each is for."""
    root = Group(
        "cvl",
        help="算力券台账：登记、受理、结算、复核、对账。\n先运行 cvl init；想先看一遍全程，运行 cvl demo。",
    )
    root.sections = {title: {word: entry.help for word, entry in words.items()} for title, words in SECTIONS.items()}
    for word, entry in WORDS.items():
        root.add_command(Group(word, help=entry.help))
    for verb in given:
        *parents, _ = verb.path.split(" ")
        if verb.path in WORDS:
            root.add_command(door.command(verb), verb.path)
            continue
        group = root
        for parent in parents:
            found = group.commands.setdefault(parent, Group(parent))
            assert isinstance(found, Group)
            group = found
        group.add_command(door.command(verb))
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `cvl` on a command line; returns the exit status."""
    if sys.stdout is None:  # a scheduler may close it
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal in a Chinese code page lacks some characters of names; a file or program gets UTF-8.
            stream.reconfigure(errors="backslashreplace", encoding=None if stream.isatty() else "utf-8")
    words = sys.argv[1:] if arguments is None else arguments
    return door.guarded(lambda: build(verbs(words[0]) if words else ()), words)
