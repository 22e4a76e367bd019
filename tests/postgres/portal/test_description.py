"""The API answers as its description says, whatever is made up from that description, right or wrong."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from portal import api
from tests.cases.steps import number
from tests.postgres.portal.conftest import ORIGIN, Portal
from tests.postgres.portal.test_api import client, description

EXAMPLES = 3
"""Made-up requests of each kind for each operation."""
KNOWN = {"/invoices/{number}": {"number": number("a")}, "/explanations/{number}": {"number": number("a")},
         "/reports/{name}": {"name": "funnel"}}  # fmt: skip
"""What there is to be found: some requests name it."""

CHECKS = ("status_code_conformance", "content_type_conformance", "response_headers_conformance",
          "response_schema_conformance")  # fmt: skip
limits = settings(
    max_examples=EXAMPLES, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)


def test_nothing_made_up_from_the_description_gets_an_answer_that_is_not_in_it(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    import schemathesis  # takes a second, which no other test should wait for
    from schemathesis.specs.openapi import checks

    monkeypatch.setattr(api, "RATE", 10**6)
    schema: Any = schemathesis.openapi.from_dict(description(portal))
    schema.app = portal.app
    sent = {"authorization": client(portal, "maker1").headers["authorization"], "host": "portal.test"}
    held_to = [schemathesis.checks.not_a_server_error, *(getattr(checks, name) for name in CHECKS)]
    seen: Counter[tuple[str, int]] = Counter()

    def ask(case: Any) -> None:
        answer = case.call_and_validate(base_url=ORIGIN, headers=sent, checks=held_to)
        seen[case.operation.path, answer.status_code] += 1

    for each in schema.get_all_operations():
        operation = each.ok()
        known = KNOWN.get(operation.path.removeprefix(api.BASE), {})
        strategies = [operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode]
        strategies += [operation.as_strategy(path_parameters=known)] if known else []
        for strategy in strategies:
            limits(given(strategy)(ask))()
    found = {path.removeprefix(api.BASE) for path, status in seen if status == 200}
    assert found >= {"/uploads", "/invoices", "/invoices/{number}", "/runs", "/explanations/{number}", "/reports"}, seen
