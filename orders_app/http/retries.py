"""Requests that can simply be run again after the database has let them down are, and nobody notices.

PostgreSQL ends one of two transactions that wait for each other (40P01), and one that cannot be put in an
order with the others (40001).  Nothing of it was saved.  A reader whose connection ends half-way, because
the server restarts or another one takes over, has saved nothing either.  A writer may have, so it is told.
"""

from __future__ import annotations

import logging
import random
import time
from typing import Final

from flask import Flask, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError

from orders_app.http.metrics import RETRIES

logger = logging.getLogger(__name__)

MOST_RETRIES: Final = 3
_LONGEST_PAUSE_SECONDS: Final = 0.05
_ROLLED_BACK: Final = frozenset({"40001", "40P01"})
"""SQLSTATEs of serialization_failure and deadlock_detected (PostgreSQL, appendix A)."""
_READING: Final = frozenset({"GET", "HEAD"})


class RetryingFlask(Flask):
    """Flask that runs a view up to three times more where the database asks for it; then it is a 503."""

    def dispatch_request(self) -> ResponseReturnValue:
        for attempt in range(1, MOST_RETRIES + 1):
            try:
                return super().dispatch_request()
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) in _ROLLED_BACK:
                    reason = "A transaction lost against another one"
                elif (
                    error.connection_invalidated
                    and request.method in _READING
                    and not getattr(error.orig, "was_waited_for", False)
                ):
                    reason = "The connection to the database ended during a read"
                else:
                    raise
                RETRIES.inc()
                logger.info("%s; trying again (%d).", reason, attempt)
            # Those who collided must not meet again at once.
            time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS) * attempt)  # noqa: S311  (no secret)
        return super().dispatch_request()
