"""Write a batch for those who pay: a bank's csv, pain.001.001.09, or a treasury's voucher by a template."""

import csv
import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from importlib.resources import files
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from reconciliation.bank_profile import Profile
from voucher.database import Row
from voucher.days import ZONE
from voucher.errors import Misused, Refused
from voucher.money import format_yuan, parse_yuan

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_GRAMMAR = files("reconciliation").joinpath("templates", "pain001.rng")
_TOTALS = ("NbOfTxs", "CtrlSum")


def bank_csv(batch: Row, payments: Sequence[Row], profile: Profile) -> bytes:
    """Write the bank's csv: columns and encoding by the profile, accounts as text."""
    if not profile.payout:
        raise Misused(
            "bad_profile",
            f"银行格式“{profile.title}”没有 [payout] 一节，不能导出付款文件。请补上，或用 --profile 换一个。",
        )
    columns = profile.payout["columns"]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([header for header, _ in columns])
    prefix = profile.payout.get("account_prefix", "")
    for payment in payments:
        told = _told(batch, payment) | {"account": prefix + payment["account_no"], "": ""}
        writer.writerow([_harmless(told[key]) if key != "account" else told[key] for _, key in columns])
    encoding = profile.payout.get("encoding", "gb18030")
    try:
        return file.getvalue().encode(encoding)
    except UnicodeEncodeError as error:
        raise Refused(
            "not_encodable", f"“{error.object[error.start]}”不在 {encoding} 字符集内，请改用 gb18030。"
        ) from None


def _harmless(text: str) -> str:
    """Keep a name from being taken for a formula."""
    return "'" + text if text.startswith(("=", "+", "-", "@")) else text


def _told(batch: Row, payment: Row) -> dict[str, str]:
    """Give what a payment says, by the names that profiles use."""
    return {
        "no": str(payment["payment_no"]), "holder": payment["holder"], "bank": payment["bank"],
        "clearing_no": payment["clearing_no"], "account": payment["account_no"],
        "amount": format_yuan(payment["amount_fen"]), "reference": payment["reference"],
        "purpose": f"{_purpose(batch)} {payment['reference']}",
    }  # fmt: skip


def _purpose(batch: Row) -> str:
    return f"算力券兑付{batch['through_on']:%Y%m}"


def pain001(batch: Row, payments: Sequence[Row], profile: Profile) -> bytes:
    """Write pain.001.001.09 in CNY with CNAPS clearing members. Raises Misused when the profile names no payer."""
    missing = [key for key in ("name", "account", "clearing_no") if not profile.payer.get(key)]
    if missing:
        raise Misused(
            "payer_missing",
            f"银行格式“{profile.title}”的 [payer] 缺少 {'、'.join(missing)}。"
            "请写在自己的格式文件里，用 --profile 指定。",
        )
    approved: datetime = batch["approved_at"].astimezone(ZONE).replace(microsecond=0)
    total, count = format_yuan(batch["amount_fen"]), str(len(payments))
    message = f"CQV-{batch['batch_id']}"
    transfers = [_transfer(batch, payment) for payment in payments]
    instruction: list[Any] = [
        ("PmtInfId", message), ("PmtMtd", "TRF"), ("BtchBookg", "false"), ("NbOfTxs", count), ("CtrlSum", total),
        ("ReqdExctnDt", [("Dt", approved.date().isoformat())]), ("Dbtr", [("Nm", profile.payer["name"])]),
        ("DbtrAcct", [("Id", [("Othr", [("Id", profile.payer["account"])])]), ("Ccy", "CNY")]),
        ("DbtrAgt", _agent(profile.payer["clearing_no"], "")), *transfers,
    ]  # fmt: skip
    header = [
        ("MsgId", message), ("CreDtTm", approved.isoformat()), ("NbOfTxs", count), ("CtrlSum", total),
        ("InitgPty", [("Nm", profile.payer["name"])]),
    ]  # fmt: skip
    root = etree.Element(f"{{{NAMESPACE}}}Document", nsmap={None: NAMESPACE})
    _fill(root, [("CstmrCdtTrfInitn", [("GrpHdr", header), ("PmtInf", instruction)])])
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    check_pain001(written)
    return written


def check_pain001(written: bytes) -> None:
    """Hold a file against our own description of what we write (templates/pain001.rng), its sums and its count.

    That is not the schema of ISO 20022, which may not be passed on: the bank's own check goes further. Raises Refused
    (`bad_pain001`), above all when a name or an account is longer than banks take.
    """
    root = etree.fromstring(written, etree.XMLParser(resolve_entities=False, no_network=True))
    grammar = etree.RelaxNG(etree.fromstring(_GRAMMAR.read_bytes()))
    if not grammar.validate(root):
        error = grammar.error_log[0]
        raise Refused(
            "bad_pain001",
            f"付款文件第{error.line}行不合 pain.001 的格式（{error.message}）。请核对该笔的户名、账号和联行号。",
        )
    told = {name: [each.text for each in root.iter(f"{{{NAMESPACE}}}{name}")] for name in ("InstdAmt", *_TOTALS)}
    fen = sum(map(parse_yuan, told["InstdAmt"]))
    twice = len(told["InstdAmt"]) != len({each.text for each in root.iter(f"{{{NAMESPACE}}}EndToEndId")})
    if told["NbOfTxs"] != [str(len(told["InstdAmt"]))] * 2 or told["CtrlSum"] != [format_yuan(fen)] * 2 or twice:
        raise Refused("bad_pain001", "付款文件的笔数、合计与明细不符，或付款编号重复。请运行 cvl reconcile 核对。")


def _transfer(batch: Row, payment: Row) -> tuple[str, Any]:
    """Write one credit transfer."""
    return (
        "CdtTrfTxInf",
        [
            ("PmtId", [("InstrId", str(payment["payment_no"])), ("EndToEndId", payment["reference"])]),
            ("Amt", [("InstdAmt", format_yuan(payment["amount_fen"]))]),
            ("CdtrAgt", _agent(payment["clearing_no"], payment["bank"])),
            ("Cdtr", [("Nm", payment["holder"])]),
            ("CdtrAcct", [("Id", [("Othr", [("Id", payment["account_no"])])])]),
            ("RmtInf", [("Ustrd", f"{_purpose(batch)} {payment['reference']}")]),
        ],
    )


def _agent(clearing_no: str, bank: str) -> list[Any]:
    """Name a bank by its clearing number, else by its name."""
    if clearing_no:
        member = [("ClrSysId", [("Cd", "CNAPS")]), ("MmbId", clearing_no)]
        return [("FinInstnId", [("ClrSysMmbId", member)])]
    return [("FinInstnId", [("Nm", bank or "未登记")])]


def _fill(parent: Any, children: Sequence[tuple[str, Any]]) -> None:
    """Put elements under a parent in order."""
    for name, content in children:
        child = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
        if isinstance(content, str):
            child.text = content
        else:
            _fill(child, content)
        if name == "InstdAmt":
            child.set("Ccy", "CNY")


def treasury(batch: Row, payments: Sequence[Row], profile: Profile) -> bytes:
    """Write a treasury's voucher by the head, row and foot of the profile; contents are escaped for XML."""
    if not {"head", "row", "foot"} <= profile.treasury.keys():
        raise Misused(
            "bad_profile",
            f"银行格式“{profile.title}”没有完整的 [treasury] 一节（head、row、foot），"
            "写法见随附的 treasury-5201.toml。",
        )
    day: date = batch["approved_on"]
    whole = {
        "batch": str(batch["batch_id"]), "day": f"{day:%Y%m%d}", "count": str(len(payments)),
        "total": format_yuan(batch["amount_fen"]), "purpose": _purpose(batch),
    }  # fmt: skip
    parts = [_made(profile, "head", whole)]
    parts += [_made(profile, "row", _told(batch, payment)) for payment in payments]
    parts.append(_made(profile, "foot", whole))
    return "".join(parts).encode(profile.treasury.get("encoding", "utf-8"), "xmlcharrefreplace")


def _made(profile: Profile, part: str, told: Mapping[str, str]) -> str:
    safe = {key: escape(value, {'"': "&quot;"}) for key, value in told.items()}
    try:
        return profile.treasury[part].lstrip("\n").format_map(safe)
    except (KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
        raise Misused(
            "bad_profile",
            f"银行格式“{profile.title}”的 {part} 里有不认识的内容：{error}。请对照随附的 generic.toml 改正。",
        ) from None


def digest(content: bytes) -> str:
    """Digest a written file (SHA-256, hex)."""
    return hashlib.sha256(content).hexdigest()


FORMATS: Mapping[str, Callable[[Row, Sequence[Row], Profile], bytes]] = {
    "bank-csv": bank_csv,
    "pain001": pain001,
    "treasury": treasury,
}
"""Format to the function that writes a batch (its row, its payments with raw accounts) by a profile."""
