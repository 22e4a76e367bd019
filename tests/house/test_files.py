"""The rules of the page that concern every file: encoding, no addresses or home folders, no loose ends."""

import re

NAMESPACES = (
    "http://www.ofdspec.org/2016",
    "http://xbrl.mof.gov.cn/",
    "http://www.w3.org/",
    "http://schemas.openxmlformats.org/",
    "http://relaxng.org/ns/",
)
"""Names of XML vocabularies: they look like addresses, nothing is ever fetched from them."""
HERE = "tests/house/test_files.py"


def test_text_is_utf8_with_lf(raw: dict[str, bytes]) -> None:
    wrong = []
    for name, data in raw.items():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            wrong.append(f"{name}: not UTF-8")
        if b"\r" in data:
            wrong.append(f"{name}: CR")
        if data and not data.endswith(b"\n"):
            wrong.append(f"{name}: no line end at the end")
    assert not wrong, "\n".join(wrong)


def test_no_file_holds_an_address(texts: dict[str, str]) -> None:
    found = [
        f"{name}: {address}"
        for name, text in texts.items()
        if name != HERE and not name.startswith("docs/")
        for address in re.findall(r"https?://[^\s\"'`<>)]+", text)
        if not address.startswith(NAMESPACES)
    ]
    assert not found, "\n".join(found)


def test_no_file_names_somebodys_folder(texts: dict[str, str]) -> None:
    home = re.compile(r"(?<![\w.])/(?:home|root|Users|work|workspace)/\w\w|[A-Z]:\\\\?Users")
    found = [f"{name}: {m[0]}" for name, text in texts.items() if name != HERE and (m := home.search(text))]
    assert not found, "\n".join(found)


def test_nothing_is_left_for_later(texts: dict[str, str]) -> None:
    later = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
    found = [f"{name}: {m[0]}" for name, text in texts.items() if name != HERE and (m := later.search(text))]
    assert not found, "\n".join(found)
