"""Tell the synthetic story: who takes part and what three providers bill from January to June 2026.

Nothing here is real: names start with 合成, codes and numbers are made up, amounts come from a fixed seed.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

MONTHS = ("2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06")
GPU, SOFTWARE, VALUE_ADDED = "3040203000000000000", "3040201000000000000", "3040205000000000000"
HARDWARE, STORAGE = "1090511000000000000", "3040299000000000000"
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def organisation_digit(body: str) -> str:
    """Return the GB 11714 check digit of an organisation code of eight characters."""
    total = sum(w * _DIGITS.index(c) for w, c in zip((3, 7, 9, 10, 5, 8, 4, 2), body, strict=True))
    return "0123456789X0"[(11 - total % 11) % 11]


def uscc(area: str, body: str, *, good_digit: bool = True) -> str:
    """Return an 18-character unified social credit code for an area of six digits and an organisation body.

    Its last character is always right; with good_digit=False the GB 11714 digit before it is not.
    """
    digit = organisation_digit(body)
    if not good_digit:
        digit = "1" if digit == "0" else "0"
    code = "91" + area + body + digit
    total = sum(pow(3, i, 31) * _ALPHABET.index(c) for i, c in enumerate(code))
    return code + _ALPHABET[(31 - total) % 31]


@dataclass(frozen=True)
class Provider:
    """A seller of compute: slug names its files, user its login, digit marks its invoice numbers."""

    slug: str
    user: str
    digit: int
    uscc: str
    name: str


@dataclass(frozen=True)
class Company:
    """A buyer. from_on and until_on are the qualification as first registered; an empty until_on is open."""

    no: int
    uscc: str
    name: str
    category: str
    from_on: str = "2025-12-25"
    until_on: str = ""
    has_account: bool = True


@dataclass(frozen=True)
class Line:
    """One line of an invoice: amounts in fen, quantity as text; paid_fen None leaves the cell empty."""

    net_fen: int
    code: str = GPU
    item: str = "*信息技术服务*智算算力服务费"
    spec: str = "80G-8卡"
    unit: str = "卡时"
    quantity: str = "1"
    rate_bp: int = 600
    paid_fen: int | None = None

    @property
    def tax_fen(self) -> int:
        """Tax in fen, rounded half up and symmetric for negative amounts."""
        tax = (abs(self.net_fen) * self.rate_bp + 5000) // 10000
        return tax if self.net_fen >= 0 else -tax

    @property
    def gross_fen(self) -> int:
        """Net plus tax in fen."""
        return self.net_fen + self.tax_fen


@dataclass(frozen=True)
class Invoice:
    """One invoice as the provider writes it; raw replaces cells of its first row by what was mistyped."""

    number: str
    seller: Provider
    buyer: Company
    issued_on: date
    span: tuple[date, date] | None
    lines: tuple[Line, ...]
    original: str = ""
    remark: str = ""
    raw: dict[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Trap:
    """One thing a reader of the sample should find: where it is, what is odd, what must come of it."""

    file: str
    number: str
    what: str
    outcome: str


AREAS = ("500103", "500105", "500107", "500108", "500112", "500116")
PROVIDERS = (
    Provider("yunsuan", "provider1", 1, uscc("500112", "MA9X0A01"), "合成云算力服务有限公司"),
    Provider("zhisuan", "provider2", 2, uscc("500107", "MA9X0B02"), "合成智算中心运营有限公司"),
    Provider("chaosuan", "provider3", 3, uscc("500108", "MA9X0C03"), "合成超算科技服务有限公司"),
)
_WORDS = "云帆嘉陵渝创山城两江缙云巴渝南岸磐石星河朝天北碚长江乌江金佛歌乐仙女武隆璧山铜梁"


def _company(no: int) -> Company:
    twin = no % 3 == 0
    kind = ("数字孪生科技" if no <= 20 else "孪生数据") if twin else ("智能体科技" if no <= 20 else "智能软件")
    at = (no - 1) % 20 * 2
    name = f"合成{_WORDS[at : at + 2]}{kind}有限公司"
    code = uscc(AREAS[no % 6], f"MA9X{no:04d}", good_digit=no != 17)
    return Company(
        no, code, "合成𬭎㐀数字孪生科技有限公司" if no == 18 else name, "数字孪生体" if twin else "智能体",
        from_on={10: "2026-04-01", 15: "2026-01-01"}.get(no, "2025-12-25"),
        until_on={15: "2025-12-31", 19: "2026-03-31"}.get(no, ""),
        has_account=no != 20,
    )  # fmt: skip


COMPANIES = {no: _company(no) for no in range(1, 41)}
STRANGER = Company(99, uscc("500105", "MA9X9999"), "合成未登记软件有限公司", "智能体")
OLD_NAME = Company(16, COMPANIES[16].uscc, "合成歌乐旧名软件有限公司", "智能体")


def month_days(month: str) -> tuple[date, date]:
    """Return the first and the last day of a month such as 2026-03."""
    first = date.fromisoformat(month + "-01")
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


class Story:
    """Collect invoices per file in the order they are billed, and the traps among them."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._last = dict.fromkeys(PROVIDERS, 0)
        self.files: dict[str, list[Invoice]] = {}
        self.traps: list[Trap] = []
        self.marked: dict[str, Invoice] = {}

    def pick(self, low: int, high: int) -> int:
        """Draw a whole number from low to high inclusive."""
        return low + self._random.randrange(high - low + 1)

    def usage(self, low: int, high: int) -> Line:
        """Make a line of low to high card hours at one of the list prices."""
        spec, price_fen = (("80G-8卡", 1179), ("64G-8卡", 905), ("80G-单卡", 1368))[self.pick(0, 2)]
        hours = self.pick(low, high)
        return Line(hours * price_fen, spec=spec, quantity=str(hours))

    def bill(
        self, month: str, seller: Provider, buyer: Company, *lines: Line,
        span: tuple[str, str] | None = None, mark: str = "", number: str = "", remark: str = "",
        original: str = "", no_span: bool = False, raw: dict[str, str | float] | None = None,
    ) -> Invoice:  # fmt: skip
        """Write one invoice into the seller's file of the month; span defaults to the whole month."""
        first, last = month_days(month)
        days = (date.fromisoformat(span[0]), date.fromisoformat(span[1])) if span else (first, last)
        invoice = Invoice(
            number or self._next_number(seller), seller, buyer, last - timedelta(days=0 if original else self.pick(0, 3)),
            None if no_span else days, lines, original, remark, raw or {},
        )  # fmt: skip
        self.files.setdefault(f"{month}/{seller.slug}", []).append(invoice)
        if mark:
            self.marked[mark] = invoice
        return invoice

    def trap(self, file: str, number: str, what: str, outcome: str) -> None:
        """Record one thing that the README of the sample must name."""
        self.traps.append(Trap(file, number, what, outcome))

    def _next_number(self, seller: Provider) -> str:
        self._last[seller] += self.pick(1, 40)
        return f"26502000000{seller.digit}00{self._last[seller]:06d}"
