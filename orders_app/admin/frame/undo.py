"""What was done and can be taken back by one click: the message that tells of it carries the button."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from flask import flash


@dataclass(frozen=True, slots=True)
class Undoable:
    """What is told of it; its button sends these fields there."""

    text: str
    url: str
    fields: Mapping[str, str]


def tell(told: str | Undoable) -> None:
    """Show on the next page that it is done."""
    message: Any = asdict(told) if isinstance(told, Undoable) else told
    flash(message, "success")
