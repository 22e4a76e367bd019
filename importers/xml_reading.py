"""Read XML without entities, network or document types; elements are found by exact path of local names."""

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from lxml import etree

from importers.limits import PARSER_LIMITS

_ENCODING = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_PROLOGUE = re.compile(r"\s*<\?xml[^>]*\?>")
_DECLARATION = re.compile(r"<!\s*(DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
_CHARSETS = {"utf-8": "utf-8", "utf8": "utf-8", "gb18030": "gb18030", "gbk": "gb18030", "gb2312": "gb18030"}

_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True,
    encoding="utf-8",
)  # fmt: skip

Element: TypeAlias = Any
"""An lxml element; lxml has no types of its own."""


class BadXml(Exception):
    """The bytes are no XML that may be read. code: of the problem; value: what was found."""

    def __init__(self, code: str, value: str = "") -> None:
        super().__init__(code, value)
        self.code = code
        self.value = value


def parse_xml(data: bytes) -> Element:
    """Parse XML bytes and return the root.

    The text is decoded here and searched for declarations before the parser sees it, so that no encoding can hide
    one. Raises BadXml.
    """
    if len(data) > PARSER_LIMITS.xml_bytes:
        raise BadXml("paper_too_large", f"{len(data) >> 20}MB")
    found = _ENCODING.match(data.removeprefix(b"\xef\xbb\xbf").lstrip()[:300])
    charset = _CHARSETS.get(found[1].decode().lower()) if found else "utf-8"
    if charset is None:
        raise BadXml("xml_broken", found[1].decode() if found else "")
    try:
        text = data.decode("utf-8-sig" if charset == "utf-8" else charset)
    except UnicodeDecodeError as error:
        raise BadXml("xml_broken", "文字编码") from error
    if declared := _DECLARATION.search(text):
        raise BadXml("doctype_refused", declared[1])
    try:
        root = etree.fromstring(_PROLOGUE.sub("", text, count=1).strip().encode(), _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadXml("xml_broken", str(error)[:100]) from error
    if root is None or root.getroottree().docinfo.doctype:
        raise BadXml("doctype_refused", "DOCTYPE")
    return root


def local(node: Element) -> str:
    """Return the name of an element without its namespace."""
    name = node.tag
    return name.rpartition("}")[2] if isinstance(name, str) else ""


def children(node: Element | None, name: str) -> Iterator[Element]:
    """Yield the direct children of a local name."""
    if node is not None:
        yield from node.iterchildren(f"{{*}}{name}")


def at(node: Element | None, path: str) -> Element | None:
    """Return the first element at a path of local names, None when there is none."""
    for name in path.split("/"):
        node = None if node is None else next(node.iterchildren(f"{{*}}{name}"), None)
    return node


def text_at(node: Element | None, path: str) -> str:
    """Return the text of the element at a path, empty when there is none; nested elements do not count."""
    found = at(node, path)
    return "" if found is None else (found.text or "").strip()


class Tree:
    """The elements below a root by their paths of local names; of several at one path the first is gone into.

    One walk, after which each of many paths is one look.
    """

    def __init__(self, root: Element) -> None:
        self._found: dict[str, list[Element]] = {}
        self._walk(root, "")

    def _walk(self, node: Element, above: str) -> None:
        found = self._found
        for child in node:
            name = child.tag
            if not isinstance(name, str) or name[0] == "{":
                name = local(child)
            path = above + name
            if path in found:
                found[path].append(child)
                continue
            found[path] = [child]
            if len(child):
                self._walk(child, f"{path}/")

    def all(self, path: str) -> list[Element]:
        """List the elements at a path."""
        return self._found.get(path, [])

    def text(self, path: str) -> str:
        """Return the text of the first element at a path, empty when there is none; nested elements do not count."""
        found = self._found.get(path)
        return (found[0].text or "").strip() if found else ""
