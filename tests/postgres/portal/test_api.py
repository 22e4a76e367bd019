"""The API: let in before anything is read, one answer per key for ever, nobody else's rows, as described."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from tests.cases.steps import PARTIES, number
from tests.postgres.desk import csv_bytes, line, table
from tests.postgres.portal.conftest import ORIGIN, Portal
from voucher import access, tokens
from voucher.access import User
from voucher.database import run

ADMIN = User("admin1", "admin", None)
ALL = tuple(tokens.SCOPES)


def client(portal: Portal, name: str, *scopes: str) -> TestClient:
    secret = run(portal.engine, lambda db: tokens.make(db, ADMIN, name, "测试", scopes or ALL, 30))
    return TestClient(portal.app, base_url=ORIGIN, headers={"authorization": f"Bearer {secret}"})


def send(found: TestClient, body: bytes, key: str, **data: str) -> httpx.Response:
    return found.post(
        "/api/v1/uploads", files={"file": ("月报.csv", body, "text/csv")}, data=data, headers={"idempotency-key": key}
    )


def sheet(*rows: dict[str, Any]) -> bytes:
    return csv_bytes(table(rows))


def test_one_key_is_one_upload_for_ever(fresh: Portal) -> None:
    found = client(fresh, "provider1")
    body = sheet(line("a", "100.00"), line("b", "1.00", buyer="X"))
    first = send(found, body, "k-1")
    assert first.status_code == 200
    data = first.json()
    assert (data["accepted"], data["rejected"]) == (1, 1)
    assert data["invoices"][0] == {"number": number("a"), "status": "accepted", "accepted_no": "1"}
    assert send(found, body, "k-1").content == first.content
    other = send(found, sheet(line("a", "200.00")), "k-1")
    assert other.status_code == 409
    assert other.headers["content-type"] == "application/problem+json"
    assert other.json()["code"] == "key_reused"
    assert send(found, body, "k-1", service_month="2026-07").status_code == 409
    assert send(client(fresh, "maker1"), body, "k-1").json()["upload_id"] != ""  # another's key is another key
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: send(found, sheet(line("c", "5.00")), "k-2").json(), range(4)))
    assert len({answer["upload_id"] for answer in answers}) == 1
    assert fresh.desk.rows("SELECT count(*) FROM invoice") == [(2,)]


def test_whose_log_in_is_closed_has_no_tokens_either(fresh: Portal) -> None:
    found, other = client(fresh, "provider1"), client(fresh, "provider2")
    fresh.as_user("provider1")
    admin = fresh.as_user("admin1")
    admin.get("/users")
    admin.post("/users/provider1/close")
    assert found.get("/api/v1/uploads").status_code == 401
    assert other.get("/api/v1/uploads").status_code == 200


@pytest.mark.parametrize("key", ["", "with blank", "键", "x" * 201])
def test_an_upload_without_a_good_key_is_refused(fresh: Portal, key: str) -> None:
    found = client(fresh, "provider1")
    raw = found.post("/api/v1/uploads", files={"file": ("a.csv", b"x")}, headers={"idempotency-key": key.encode()})
    assert (raw.status_code, raw.json()["code"]) == (422, "no_key")


def test_a_file_that_cannot_be_read_says_why(portal: Portal) -> None:
    found = client(portal, "provider1")
    answer = send(found, b"\x00\x01\x02", "bad")
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["severity"] == "blocking"
    assert send(found, sheet(line("z")), "m", service_month="2026-13").json()["code"] == "bad_month"
    headers = {"idempotency-key": "torn", "content-type": "multipart/form-data; boundary=b"}
    torn = found.post("/api/v1/uploads", content=b"--b\r\n1e16--b--\r\n", headers=headers)
    assert (torn.status_code, torn.json()["code"]) == (422, "bad_request")
    assert send(found, sheet(line("z")), "p", provider=PARTIES["Q"].uscc).json()["code"] == "not_your_file"


def test_tokens_are_good_for_what_they_were_made_for_and_no_longer(portal: Portal) -> None:
    found = client(portal, "provider1", "invoices")
    assert found.get("/api/v1/invoices").status_code == 200
    assert found.get("/api/v1/uploads").status_code == 403
    assert client(portal, "provider1").get("/api/v1/runs").status_code == 403  # its role has no such right
    for header in ("", "Bearer", "Bearer cvl_x", "Basic abc", "Bearer cvl_" + "x" * 5000):
        answer = found.get("/api/v1/invoices", headers={"authorization": header})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    secret = found.headers["authorization"].removeprefix("Bearer ")
    (first, *_) = run(
        portal.engine, lambda db: [each for each in tokens.everyone(db) if each["scopes"] == ["invoices"]]
    )
    assert run(portal.engine, lambda db: tokens.revoke(db, first["token_id"]))
    assert found.get("/api/v1/invoices").status_code == 401
    kept = run(portal.engine, lambda db: [dict(each) for each in tokens.everyone(db)])
    assert secret not in str(kept)
    cookie = portal.as_user("provider1").client
    assert cookie.get("/api/v1/invoices").status_code == 401  # a browser's session is none of the API's


def test_a_body_is_not_read_before_its_token(portal: Portal) -> None:
    sent: list[int] = []

    def body() -> Any:
        for _ in range(200):
            sent.append(1)
            yield b"x" * 65536

    anyone = TestClient(portal.app, base_url=ORIGIN)
    answer = anyone.post("/api/v1/uploads", content=body(), headers={"content-type": "multipart/form-data; boundary=x"})
    assert answer.status_code == 401
    assert anyone.post("/api/v1/uploads", headers={"content-length": "9" * 12}, content=b"x").status_code == 413


def test_pages_follow_each_other_without_gap_or_repeat(fresh: Portal) -> None:
    found = client(fresh, "provider1")
    for place in range(5):
        assert send(found, sheet(line("abcde"[place], "10.00")), f"p{place}").status_code == 200
    for what, key in (("uploads", "upload_id"), ("invoices", "number")):
        seen, cursor = [], ""
        while cursor is not None:
            page = found.get(f"/api/v1/{what}?limit=2" + (f"&cursor={cursor}" if cursor else "")).json()
            seen += [item[key] for item in page["items"]]
            cursor = page["next"]
        assert len(seen) == len(set(seen)) == 5
    assert found.get("/api/v1/uploads?cursor=nonsense").json()["code"] == "bad_cursor"


def test_another_providers_things_are_not_there(portal: Portal) -> None:
    found = client(portal, "provider2")
    mine = portal.desk.rows("SELECT min(upload_id) FROM upload")[0][0]
    for path in (f"uploads/{mine}", f"invoices/{number('a')}"):
        answer = found.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert [each["number"] for each in found.get("/api/v1/invoices").json()["items"]] == [number("q")]


def test_too_many_requests_have_to_wait(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.api.RATE", 3)
    found = client(portal, "auditor1")
    assert [found.get("/api/v1/reports").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert client(portal, "auditor1").get("/api/v1/reports").status_code == 200


def test_runs_explanations_and_reports_are_those_of_the_command_line(portal: Portal) -> None:
    found = client(portal, "auditor1")
    assert found.get("/api/v1/runs").json() == {"items": []}
    assert found.get("/api/v1/runs/1").status_code == 404
    told = found.get(f"/api/v1/explanations/{number('a')}").json()
    assert (told["number"], told["net"]) == (number("a"), "620000.00")
    report = found.get("/api/v1/reports/funnel?period=2026").json()
    assert "625300.00" in json.dumps(report)


# --- as described -----------------------------------------------------------------------------------------------------


def description(portal: Portal) -> dict[str, Any]:
    answer = TestClient(portal.app, base_url=ORIGIN).get("/api/v1/openapi.json")
    found: dict[str, Any] = answer.json()
    return found


def operations(portal: Portal) -> list[tuple[str, str, dict[str, Any]]]:
    paths = description(portal)["paths"]
    return [(path, method, operation) for path, each in paths.items() for method, operation in each.items()]


def test_every_operation_wants_a_token_and_says_its_errors(portal: Portal) -> None:
    anyone = TestClient(portal.app, base_url=ORIGIN)
    found = operations(portal)
    assert len(found) == 10
    for path, method, operation in found:
        assert {"200", "401", "403", "404", "422", "429"} <= set(operation["responses"]), path
        answer = anyone.request(method, re.sub(r"\{\w+\}", "1", path))
        assert answer.status_code == 401, path
        assert answer.json()["code"] == "no_token"


@pytest.mark.parametrize("name", sorted({"provider1", "maker1", "checker1", "auditor1", "admin1"}))
def test_every_operation_lets_in_whom_the_table_names_and_nobody_else(portal: Portal, name: str) -> None:
    found, role = client(portal, name), run(portal.engine, lambda db: access.find(db, name)).role  # type: ignore[union-attr]
    rights = {
        "/uploads": "view uploads", "/invoices": "view invoices", "/runs": "view runs",
        "/explanations": "view explanation", "/reports": "view reports",
    }  # fmt: skip
    for path, method, _ in operations(portal):
        right = next(each for start, each in rights.items() if path.startswith(f"/api/v1{start}"))
        right = "import" if method == "post" else "export reports" if path.endswith("{name}") else right
        answer = found.request(method, re.sub(r"\{\w+\}", "1", path), params={"period": "2026"})
        assert (answer.status_code == 403) is (role not in access.RIGHTS[right]), (method, path, answer.status_code)
