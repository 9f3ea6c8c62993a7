"""Requests whose transaction lost against another one are run again, and nobody notices.

PostgreSQL ends one of two transactions that wait for each other (40P01), and one that cannot be put in an
order with the others (40001).  Nothing of it was saved, so the view can simply be run again.
"""

from __future__ import annotations

import logging
import random
import time
from typing import Final

from flask import Flask
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError

from orders_app.http.metrics import RETRIES

logger = logging.getLogger(__name__)

MOST_RETRIES: Final = 3
_LONGEST_PAUSE_SECONDS: Final = 0.05
_ROLLED_BACK: Final = frozenset({"40001", "40P01"})
"""SQLSTATEs of serialization_failure and deadlock_detected (PostgreSQL, appendix A)."""


class RetryingFlask(Flask):
    """Flask that runs a view up to three times more where the database asks for it; then it is a 503."""

    def dispatch_request(self) -> ResponseReturnValue:
        for attempt in range(1, MOST_RETRIES + 1):
            try:
                return super().dispatch_request()
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in _ROLLED_BACK:
                    raise
                RETRIES.inc()
                logger.info("A transaction lost against another one; trying again (%d).", attempt)
            # Those who collided must not meet again at once.
            time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS) * attempt)  # noqa: S311  (no secret)
        return super().dispatch_request()
