"""What a person may type where one line is meant: a reason, the number of a document."""

import unicodedata


def one_line(text: str) -> bool:
    """Tell whether a text says something and stays on its line; blanks of any width may be in it."""
    return bool(text.strip()) and all(char.isprintable() or unicodedata.category(char) == "Zs" for char in text)
