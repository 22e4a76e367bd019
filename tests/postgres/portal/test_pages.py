"""Every page that anybody can open: it answers, keeps the rules of accessible pages, and leads nowhere that is not."""

from urllib.parse import urljoin, urlsplit

import pytest

from tests.postgres.portal.conftest import PEOPLE, Portal
from tests.postgres.portal.rules import faults
from voucher import access

MOST = 80


@pytest.mark.parametrize("role", access.ROLES)
def test_a_walk_over_every_link_finds_good_pages_alone(portal: Portal, role: str) -> None:
    browser = portal.as_user(PEOPLE[role])
    seen, left, wrong = set(), ["/", "/password"], []
    shapes: dict[str, int] = {}
    while left and len(seen) < MOST:
        path = left.pop(0)
        shape = "".join("9" if each.isdigit() else each for each in urlsplit(path).path)
        if path in seen or shapes.get(shape, 0) >= 3:
            continue
        seen.add(path)
        shapes[shape] = shapes.get(shape, 0) + 1
        answer = browser.client.get(path)
        if answer.status_code != 200:
            wrong.append((path, answer.status_code))
            continue
        if "html" not in answer.headers["content-type"]:
            assert answer.headers["content-disposition"].startswith("attachment"), path
            continue
        browser.get(path)
        wrong += [(path, fault) for fault in faults(browser.page)]
        assert "cvl " not in browser.text, path
        left += [urljoin(path, link) for link in browser.page.xpath("//a/@href") if not link.startswith("#")]
    assert not wrong, "\n".join(map(str, sorted(set(wrong))))
    assert len(seen) > (1 if role == "admin" else 5)


def test_pages_of_strangers_and_of_faults_keep_the_rules_too(portal: Portal) -> None:
    browser = portal.browser()
    browser.get("/login")
    assert not faults(browser.page)
    browser.post("/login", {"name": "", "password": ""}, status=422)
    assert not faults(browser.page)
    me = portal.as_user("maker1")
    me.get("/nothing", status=404)
    assert not faults(me.page)
