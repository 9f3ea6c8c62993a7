"""Ids in paths."""

from __future__ import annotations

import re
from uuid import UUID

from orders_app.shared.errors import NotFound

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


def id_from_path(text: str, otherwise: str) -> UUID:
    """The UUID that stands in a path.  What is no UUID names nothing: raises `NotFound(otherwise)`."""
    if not _UUID.fullmatch(text):
        raise NotFound(otherwise)
    return UUID(text)
