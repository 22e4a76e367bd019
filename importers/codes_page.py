"""Write the page of problem codes: what each means and what to do. `python -m importers.codes_page > docs/codes.md`."""

from string import Formatter

from importers.catalogue import CATALOGUE

TITLES = {"blocking": "整份文件没有导入", "error": "这一张发票没有受理", "warning": "提示，或暂存待核"}
"""Severity to the heading it stands under."""
WORDS = {
    "value": "原内容", "column": "列名", "row": "行号", "limit": "上限", "detail": "说明", "other_row": "另一行的行号",
    "original": "原发票号码", "received": "申报日", "registered": "登记的名称", "choices": "可选的内容",
    "what": "这些行", "invoice_number": "发票号码",
}  # fmt: skip
"""Name in a sentence to what stands there on the page; another name stands as “……”."""


def _filled(text: str) -> str:
    pieces = []
    for plain, name, _, _ in Formatter().parse(text):
        pieces.append(plain)
        if name is not None:
            word = WORDS.get(name, "……")
            pieces.append(f"〈{word}〉" if word else "")
    return "".join(pieces)


def page() -> str:
    """Write the whole page."""
    lines = [
        "# 错误代码", "",
        "上传之后，每个问题都有一个代码、所在的行和列，以及一句话：哪里不对、下一步做什么。下面逐个列出。",
        "尖括号里是随文件而变的内容。本页由程序生成，与程序说的话逐字相同。",
    ]  # fmt: skip
    for severity, title in TITLES.items():
        lines += ["", f"## {title}", "", "| 代码 | 哪里不对 | 怎么办 |", "|---|---|---|"]
        lines += [
            f"| `{code}` | {_filled(entry.wrong)} | {_filled(entry.advice)} |"
            for code, entry in CATALOGUE.items()
            if entry.severity == severity
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
