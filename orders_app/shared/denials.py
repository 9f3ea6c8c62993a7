"""Saying that somebody was refused.  Whoever decides says so at once, whichever layer that is."""

from __future__ import annotations

import logging
from uuid import UUID

from orders_app.shared.signals import access_denied

logger = logging.getLogger(__name__)


def deny(reason: str, username: str = "", *, order_id: UUID | None = None) -> None:
    """Tell the logs that somebody was refused.  A log that cannot be written changes no answer.

    The reasons are listed in `docs/operations.md`.
    """
    try:
        access_denied.send(None, reason=reason, username=username, order_id=order_id)
    except OSError:
        logger.exception("A refused request could not be logged.")
