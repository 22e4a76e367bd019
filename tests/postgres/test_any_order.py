"""Whatever is done to a ledger, and in whatever order, its books are right after each step."""

import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.postgres.conftest import TEMPLATE, Shelves
from tests.postgres.machine import AnyOrder

EXAMPLES = os.environ.get("CVL_SOAK_EXAMPLES")
_settings = settings(
    max_examples=int(EXAMPLES or "3"),
    stateful_step_count=40 if EXAMPLES else 14,
    deadline=None,
    database=None,
    print_blob=True,
    phases=[Phase.generate],  # shrinking a long history takes minutes; the steps are printed as they were
    suppress_health_check=list(HealthCheck),
)


def test_in_any_order_the_books_are_right(shelves: Shelves) -> None:
    run_state_machine_as_test(lambda: AnyOrder(shelves(TEMPLATE)), settings=_settings)
