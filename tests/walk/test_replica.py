"""A replica serves what reads much and says up to which seal; everything else asks the books themselves."""

import json

import pytest

from tests.postgres.conftest import Clone
from tests.walk.desk import Desk


def test_checks_reports_and_bundles_come_from_the_replica(
    office: Desk, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = clone()  # knows the acts that the office began with
    monkeypatch.setenv("CVL_READ_URL", behind.url.render_as_string(hide_password=False))
    monkeypatch.chdir(office.folder)
    reconciled, report = office.data("reconcile"), office.data("report", "reconciliation", "--period", "2026-08")
    last = int(reconciled["act_no"])
    assert (reconciled["ok"], report["act_no"]) == (True, str(last))
    assert 0 < last < office.seals()
    assert office.data("balance")["act_no"] == str(office.seals())
    exported = office.data("audit", "export", "--out", "b.zip", "--as", "auditor1")
    assert exported["until"] == str(last)
    journal = office.data("audit", "export", "--journal", "beancount", "--out", "b.beancount", "--as", "auditor1")
    assert journal["until"] == str(last)
    assert office.seals() > last + 2  # that something was exported is an act in the books


def test_a_replica_that_is_no_address_is_named(office: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVL_READ_URL", "副本")
    refused = office.cvl("reconcile", "--json")
    assert refused.status == 6
    assert "CVL_READ_URL" in json.loads(refused.out)["error"]["message"]
