"""Rules of accessible pages that a program can hold HTML against (WCAG 2.2 AA), each fault as a sentence."""

import re
from collections import Counter
from itertools import pairwise
from typing import Any

_NAMED = "self::a or self::button or self::summary"


def faults(page: Any) -> list[str]:
    """List what is wrong with a page."""
    return [*_document(page), *_names(page), *_fields(page), *_tables(page), *_headings(page)]


def _text(node: Any) -> str:
    return re.sub(r"\s+", "", node.text_content()) or node.get("aria-label", "")


def _document(page: Any) -> list[str]:
    found = []
    root = page.getroottree().getroot()
    if root.get("lang") != "zh-CN":
        found.append("3.1.1 no language")
    if not (page.findtext(".//title") or "").strip().removesuffix("· 算力券台账"):
        found.append("2.4.2 no title")
    for tag, wanted in (("main", 1), ("h1", 1), ("header", 1)):
        if len(page.findall(f".//{tag}")) != wanted:
            found.append(f"1.3.1 {len(page.findall(f'.//{tag}'))} {tag}")
    first = page.xpath("//body//a")
    if not first or first[0].get("href") != "#main":
        found.append("2.4.1 no skip link first")
    ids = Counter(page.xpath("//@id"))
    found += [f"4.1.1 id twice: {name}" for name, number in ids.items() if number > 1]
    known = set(ids)
    for attribute in ("aria-describedby", "aria-labelledby", "for"):
        for value in page.xpath(f"//@{attribute}"):
            found += [f"1.3.1 {attribute} names nothing: {name}" for name in value.split() if name not in known]
    found += [f"2.4.1 link to nowhere: {href}" for href in page.xpath("//a/@href")
              if href.startswith("#") and href[1:] not in known]  # fmt: skip
    found += [f"inline style or script: {node.tag}" for node in page.xpath("//*[@style or @onclick or @onsubmit]")]
    found += ["inline script" for node in page.xpath("//script[not(@src)]|//style") if node is not None]
    found += ["2.4.3 tabindex above 0" for value in page.xpath("//@tabindex") if int(value) > 0]
    return found


def _names(page: Any) -> list[str]:
    found = [f"4.1.2 no name: {node.tag}" for node in page.xpath(f"//*[{_NAMED}]") if not _text(node)]
    found += ["1.1.1 no alt" for _ in page.xpath("//img[not(@alt)]")]
    found += ["1.1.1 picture without a title" for each in page.xpath("//*[local-name()='svg']")
              if not each.xpath("./*[local-name()='title']") or each.get("role") != "img"]  # fmt: skip
    found += ["4.1.2 menu without a name" for _ in page.xpath("//nav[not(@aria-label)]")]
    found += ["2.4.4 link without an address" for _ in page.xpath("//a[not(@href)]")]
    return found


def _fields(page: Any) -> list[str]:
    found = []
    for node in page.xpath("//input[not(@type='hidden')]|//select|//textarea"):
        label = page.xpath("//label[@for=$id]", id=node.get("id", "-")) or node.xpath("ancestor::label")
        if not node.get("aria-label") and not any(_text(each) for each in label):
            found.append(f"3.3.2 no label: {node.get('name')}")
        if node.get("aria-invalid") == "true" and not node.get("aria-describedby"):
            found.append(f"3.3.1 a fault without its sentence: {node.get('name')}")
    for wrong in page.xpath("//p[contains(@class,'wrong')]"):
        if not wrong.text_content().startswith("错误"):
            found.append("1.4.1 a fault by colour alone")
    found += ["3.3.1 faults that no summary links" for node in page.xpath("//*[@aria-invalid='true']")
              if not page.xpath("//div[@role='alert']//a[@href=$to]", to=f"#{node.get('id')}")]  # fmt: skip
    found += ["form without a button" for each in page.xpath("//form") if not each.xpath(".//button")]
    return found


def _tables(page: Any) -> list[str]:
    found = []
    for table in page.xpath("//table"):
        heads = table.xpath("./thead/tr/th")
        if not heads:
            found.append("1.3.1 a table without heads")
        found += ["1.3.1 a head without scope" for each in table.xpath(".//th[not(@scope)]") if each is not None]
        found += ["1.3.1 an empty head" for each in heads if not _text(each)]
        before = table.xpath("preceding::h2|preceding::h1")
        if not table.xpath("./caption") and not before:
            found.append("1.3.1 a table without a caption")
        for row in table.xpath("./tbody/tr"):
            cells = sum(int(cell.get("colspan", 1)) for cell in row.xpath("./td|./th"))
            if cells != len(heads):
                found.append(f"a row of {cells} cells under {len(heads)} heads: {_text(row)[:40]}")
    found += ["1.4.1 a mark without words" for each in page.xpath("//*[contains(@class,'mark')]") if not _text(each)]
    return found


def _headings(page: Any) -> list[str]:
    levels = [int(node.tag[1]) for node in page.xpath("//h1|//h2|//h3|//h4") if node.getparent().get("id") != "fault"]
    return [f"1.3.1 from h{a} to h{b}" for a, b in pairwise(levels) if b > a + 1]
