"""How often a password may be wrong, and how many requests a user may send.

The counts are rows of the database, so that all worker processes on all hosts share them, with Redis or
without.  A window begins with its first failure; what is refused is not counted and prolongs nothing.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from orders_app.auth import credentials, repository
from orders_app.auth.credentials import ALL_THEY_SEE, Credential, Shown
from orders_app.auth.domain import FailureLimits, FailureWindow, Quota, client_network, username_key
from orders_app.shared.clock import utcnow
from orders_app.shared.errors import TooManyRequests

DELETED_AT_ONCE = 100
"""Each failure begins two windows at most, so old ones are deleted much faster than new ones come."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One name and password, from one address."""

    username: str
    account: str
    address: str
    limits: FailureLimits

    @classmethod
    def of(cls, username: str, address: str, limits: FailureLimits) -> Attempt:
        """The attempt, with the keys under which its failures are counted."""
        network = client_network(address)
        return cls(
            username,
            _key("account", network, username_key(username)),
            _key("address", network),
            limits,
        )

    def find(self, connection: Connection, shown: Shown = ALL_THEY_SEE) -> Credential | None:
        """The account of the name.  Raises `TooManyRequests` if no further check is allowed now."""
        found = credentials.credential_by_name(
            connection, self.username, utcnow(), account=self.account, address=self.address, shown=shown
        )
        self._admit(found.of_account, found.of_address)
        return found.credential

    def count_failure(self, connection: Connection) -> None:
        """Count that the password was wrong.

        Raises `TooManyRequests` if others used up the last checks meanwhile: the answer must not tell
        that this one failed.  If it cannot be counted, the answer is the one for a wrong password.
        """
        limits = {self.account: self.limits.per_account, self.address: self.limits.per_address}
        keys = [key for key, limit in limits.items() if limit]
        if not keys:
            return
        now = utcnow()
        try:
            windows = repository.count_failure(connection, keys, now)
            if any(window.count == 1 for window in windows.values()):
                repository.delete_old_failures(connection, now, at_most=DELETED_AT_ONCE)
        except SQLAlchemyError:
            logger.exception("A failed log-in could not be counted.")
            return
        # The limit itself is still allowed to be told: only the check after it is one too many.
        self._admit(_before(windows.get(self.account)), _before(windows.get(self.address)))

    def _admit(self, of_account: FailureWindow | None, of_address: FailureWindow | None) -> None:
        now = utcnow()
        wait = max(
            of_account.wait(self.limits.per_account, now) if of_account else 0,
            of_address.wait(self.limits.per_address, now) if of_address else 0,
        )
        if wait:
            raise TooManyRequests(
                f"Too many failed log-ins. Please try again in {wait} second{'s' if wait > 1 else ''}.",
                code="too_many_attempts",
                retry_after=wait,
            )


def count_request(connection: Connection, user_id: UUID, *, limit: int) -> Quota | None:
    """Count a request of this user; None where it cannot be counted, which is no reason to refuse it."""
    try:
        return repository.count_request(connection, user_id, utcnow(), limit=limit)
    except SQLAlchemyError:
        logger.exception("A request could not be counted.")
        return None


def _before(window: FailureWindow | None) -> FailureWindow | None:
    """The window without the failure that was just counted."""
    return FailureWindow(window.started_at, window.count - 1) if window else None


def _key(*parts: str) -> str:
    digest = hashlib.blake2b(digest_size=32)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
