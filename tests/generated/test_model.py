"""A model of users and orders drives the running server: whatever happens, both must say the same.

`docs/testing.md` says how to run it for longer, and how to repeat a failure.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.generated.machine import Machine
from tests.generated.reached import ORDER, OWN_ORDERS, USER, succeeded_since, successes
from tests.server.processes import ServerProcess

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "15"))
STEPS = int(os.environ.get("MODEL_STEPS", "30"))
SEED = os.environ.get("MODEL_SEED")
SHRINK = bool(os.environ.get("MODEL_SHRINK"))
"""Looking for the shortest steps that fail takes minutes; those that were found are printed anyway."""

MUST_SUCCEED = {
    *OWN_ORDERS,
    ("POST", f"{ORDER}restore/"),
    ("PATCH", USER),
    *(("POST", f"/api/v1/{name}/") for name in ("login", "refresh", "logout")),
}

pytestmark = [pytest.mark.server, pytest.mark.timeout(600 + EXAMPLES * STEPS)]


def test_the_server_does_what_the_model_says(server: ServerProcess) -> None:
    """The same steps in every run; `MODEL_SEED` takes others, and is part of what repeats a failure."""
    chosen = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=SEED is None,
        print_blob=True,
        phases=[Phase.generate, Phase.shrink] if SHRINK else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    class OnThisServer(Machine):
        def __init__(self) -> None:
            super().__init__(server)

    before = successes(server)
    run_state_machine_as_test(seed(SEED)(OnThisServer) if SEED else OnThisServer, settings=chosen)
    assert succeeded_since(server, before) >= MUST_SUCCEED
