"""A month in which a company is merged, then the year's end: every account to the fen, reckoned by hand beside it.

It begins with 400.00 granted to C (a and b, 200.00 each) and 200.00 to D (d), disclosed, of an appropriation of
10,000,000.00; the cap is 1,000,000.00 a company.
"""

import json

import pytest

from tests.postgres.desk import line, real
from tests.walk.till import ONE, TWO, Till

PROGRAMME = "cq-2025-12-08"


def books(till: Till) -> dict[str, str]:
    """Give every account that is not empty; C and D for the companies, and no year on limits, which are all of 2026."""
    found = {}
    for each in till.desk.data("balance")["accounts"]:
        name = each["account"].replace(ONE, "C").replace(TWO, "D")
        if each["balance"] != "0.00" and ":authority:" not in name:
            found[name.replace(f"limit:voucher:{PROGRAMME}", "left").replace(f"limit:redeemed:{PROGRAMME}", "redeemed")
                  .replace(f"limit:lapsed:{PROGRAMME}", "lapsed").replace("money:", "")] = each["balance"]  # fmt: skip
    return found


def told(till: Till, *rows: dict[str, str], name: str) -> None:
    till.desk.data("import", till.desk.file(list(rows), name), "--as", "maker1")


def approved(till: Till, *words: object) -> None:
    act = till.desk.data(*words, "--as", "maker1")["act"]
    till.desk.data("approve", act, "--as", "checker1")


def test_a_merger_an_expiry_and_the_closing_of_the_year_to_the_fen(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = till.desk
    now = {
        "treasury:2026": "-10000000.00", "appropriation:2026": "9999400.00", "payable:C": "400.00",
        "payable:D": "200.00", "left:C:2026": "999600.00", "redeemed:C:2026": "400.00", "left:D:2026": "999800.00",
        "redeemed:D:2026": "200.00",
    }  # fmt: skip
    assert books(till) == now

    told(till, line("e", "4990000.00"), name="大额.csv")  # 20 % are 998,000.00
    desk.settled()
    now |= {"appropriation:2026": "9001400.00", "payable:C": "998400.00"}
    now |= {"left:C:2026": "1600.00", "redeemed:C:2026": "998400.00"}
    assert books(till) == now

    # D's own voucher is closed; what D was granted, 200.00, counts against C's cap
    approved(till, "company", "merge", TWO, "--into", ONE, "--on", "2026-08-20", "--why", "登记机关1号")
    now |= {"lapsed:D:2026": now.pop("left:D:2026"), "left:C:2026": "1400.00", "lapsed:C:2026": "200.00"}
    assert books(till) == now

    told(till, line("f", "5000.00"), name="其后.csv")  # 1,000.00 of the 1,400.00 that are left
    desk.settled()
    now |= {"appropriation:2026": "9000400.00", "payable:C": "999400.00"}
    now |= {"left:C:2026": "400.00", "redeemed:C:2026": "999400.00"}
    assert books(till) == now

    # the first run: 400.00, and the 200.00 that were D's, now into C's account
    made = till.sent()
    del now["payable:D"]
    now |= {"payable:C": "999000.00", "in_transit:C": "400.00", "in_transit:D": "200.00"}
    assert books(till) == now
    till.result(*((each["reference"], each["amount"], "成功", f"L{n}") for n, each in enumerate(made["payments"])))
    now |= {"paid:C": now.pop("in_transit:C"), "paid:D": now.pop("in_transit:D")}
    assert books(till) == now

    # what is unspent goes back, what is owed carries over
    monkeypatch.setenv("CVL_TODAY", "2027-01-04")
    approved(till, "budget", "close", "--year", "2026")
    now["returned:2026"] = now.pop("appropriation:2026")
    assert books(till) == now

    # the deadline of 2026 is past, nothing waits: the 400.00 that were left lapse; D's voucher was closed before
    monkeypatch.setenv("CVL_TODAY", "2027-04-01")
    expired = desk.data("voucher", "expire", "--on", "2027-04-01", "--as", "maker1")
    assert ([each["left"] for each in expired["expired"]], expired["waiting"]) == (["400.00"], [])
    del now["left:C:2026"]
    now["lapsed:C:2026"] = "600.00"
    assert books(till) == now

    # red-letters after it: a, paid, is owed back, 200.00; of e, unpaid, 20,000.00 less is owed and goes back
    red = {"since": "2026-07-01", "until": "2026-07-31"}
    told(till, line("r", "-1000.00", red_of="a", **red), line("s", "-100000.00", red_of="e", **red), name="红字.csv")
    run = desk.settled()
    lines = desk.data("settle", "show", run)["lines"]
    assert [(each["granted"], [why["code"] for why in each["reasons"]]) for each in lines] == [
        ("-200.00", ["red_letter", "over_granted"]), ("-20000.00", ["red_letter", "over_granted"]),
    ]  # fmt: skip
    now |= {"redeemed:C:2026": "979200.00", "lapsed:C:2026": "20800.00"}
    now |= {"paid:C": "200.00", "recoverable:C": "200.00", "payable:C": "979000.00", "returned:2026": "9020400.00"}
    assert books(till) == now

    # the year is closed, so what comes back is returned
    paid_back = ("--amount", "200.00", "--on", "2027-04-01", "--ref", "回单1")
    approved(till, "recovery", "return", real("a"), *paid_back)
    del now["recoverable:C"]
    now["returned:2026"] = "9020600.00"
    assert books(till) == now
    assert desk.data("reconcile")["ok"]
    (year,) = desk.data("budget", "list")["years"]
    sums_2026 = {name: year[name] for name in ("appropriated", "granted", "back", "returned", "left")}
    assert sums_2026 == {
        "appropriated": "10000000.00", "granted": "999600.00", "back": "20200.00", "returned": "9020600.00",
        "left": "0.00",
    }  # fmt: skip

    # the recovery stands in the year of its run, its money is taken from the year whose budget granted it
    sums = {}
    for year in ("2026", "2027"):
        out = desk.folder / f"{year}.json"
        desk.data("report", "year_end", "--period", year, "--format", "json", "--out", out)
        sums[year] = json.loads(out.read_text("utf-8"))["totals"]
    told_of = {
        year: {name: each[name] for name in ("net", "recovered", "payable", "paid")} for year, each in sums.items()
    }
    assert told_of == {
        "2026": {"net": "999600.00", "recovered": "0.00", "payable": "979000.00", "paid": "400.00"},
        "2027": {"net": "-20200.00", "recovered": "20200.00", "payable": "0.00", "paid": "0.00"},
    }
