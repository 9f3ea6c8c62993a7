"""Running the commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from tests.callers import Caller

Run = Callable[..., Result]


def read(caller: Caller, path: str) -> Any:
    """The JSON that stands at this address."""
    return caller.get(path).json


@pytest.fixture
def run(app: Flask) -> Run:
    """`run("users", "list")`, as `flask --app wsgi users list`; `stdin` is what is typed or piped."""

    def invoke(*args: object, stdin: str | bytes | None = None) -> Result:
        result = app.test_cli_runner().invoke(args=[str(arg) for arg in args], input=stdin)
        # A failure is told in plain words; anything else that was raised is a bug.
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result

    return invoke
