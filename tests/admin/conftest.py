"""Visitors of the panel."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.admin.visitor import Visitor


@pytest.fixture
def stranger(app: Flask) -> Visitor:
    """Somebody who has not logged in."""
    return Visitor(app)


@pytest.fixture
def panel(app: Flask) -> Visitor:
    """The admin, logged in."""
    return Visitor.logged_in(app)
