"""A running server on each of the two back ends, for requests that are made up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.processes import BACKENDS, ServerProcess, serving_on

SETTINGS: dict[str, Any] = {
    # Whoever makes up log-ins fails at most of them, and is not to be locked out for that.
    "LOGIN_FAILURES_PER_ACCOUNT": "0",
    "LOGIN_FAILURES_PER_ADDRESS": "0",
    "REGISTRATION_OPEN": "true",
    # For long runs by hand: nobody's token ends while they last.
    "ACCESS_TOKEN_MINUTES": "1440",
}


@pytest.fixture(scope="module", params=BACKENDS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("generated")
    with serving_on(request, folder, **SETTINGS) as running:
        yield running
