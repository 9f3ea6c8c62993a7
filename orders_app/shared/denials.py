"""Saying that somebody was refused.  Whoever decides says so at once, whichever layer that is."""

from __future__ import annotations

import logging
from typing import Final
from uuid import UUID

from orders_app.shared.signals import access_denied, receiver_failed

logger = logging.getLogger(__name__)

REASONS: Final = (
    *("wrong_password", "too_many_attempts", "no_credentials", "unreadable_credentials"),
    *("bad_token", "bad_refresh_token", "bad_password_link", "bad_session", "bad_form_token"),
    *("bad_metrics_token", "not_an_admin", "anothers_order", "others_orders", "deleted_orders"),
)
"""Every word that is said; `docs/operations.md` tells what they mean."""


def deny(reason: str, username: str = "", *, order_id: UUID | None = None) -> None:
    """Tell who listens that somebody was refused.  One that fails is counted and changes no answer.

    `reason` is one of `REASONS`.
    """
    for receiver in access_denied.receivers_for(None):
        try:
            receiver(None, reason=reason, username=username, order_id=order_id)
        except Exception as error:
            name = getattr(receiver, "__qualname__", repr(receiver))
            logger.exception("A refused request could not be told to %s.", name)
            receiver_failed.send(None, receiver=name, error=error)
