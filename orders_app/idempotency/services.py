"""Use cases: claim a key, keep the answer that was given under it, delete what has expired."""

from __future__ import annotations

import secrets
from typing import Final

from orders_app.idempotency import repository
from orders_app.idempotency.domain import LIFETIME, Attempt, StoredAnswer
from orders_app.shared.clock import utcnow
from orders_app.shared.denials import deny
from orders_app.shared.errors import Conflict, Forbidden, Invalid
from orders_app.shared.identity import Actor, Role
from orders_app.shared.unit_of_work import UnitOfWork

PURGED_AT_ONCE: Final = 1_000
_TIDY_ONE_IN: Final = 20
_TIDIED_AT_ONCE: Final = 100


class InProgress(Conflict):
    """The first request under this key has not been answered yet."""

    code = "idempotency_in_progress"


class KeyReused(Invalid):
    """The key was used before, for something else."""

    code = "idempotency_key_reused"


def claim(uow: UnitOfWork, *, actor: Actor, attempt: Attempt) -> StoredAnswer | None:
    """The first answer, or None where this attempt is the first and is to do the work.

    Comes first in the unit of work.  Until that ends nobody else can claim the same: they get
    `InProgress`, or wait where the database knows one writer only.  Raises `KeyReused` for a key that
    came with another body before, `Forbidden` for an answer made for a role that the caller no longer has.
    """
    if not repository.try_claim(uow.session, attempt.scope):
        raise InProgress("The first request with this Idempotency-Key is still running.")
    row = repository.find(uow.session, attempt.scope, utcnow())
    if row is None:
        return None
    if row.fingerprint != attempt.fingerprint:
        raise KeyReused("This Idempotency-Key was used before with another body.")
    if row.role == Role.ADMIN and not actor.is_admin:
        deny("not_an_admin", actor.username)
        raise Forbidden("The first answer was for an admin.")
    return StoredAnswer(row.status, row.headers, row.body)


def keep(uow: UnitOfWork, *, actor: Actor, attempt: Attempt, answer: StoredAnswer) -> None:
    """Keep the answer in the transaction of what it tells of: both are saved, or neither.

    Raises `InProgress` where somebody else kept one meanwhile, past the claim.
    """
    now = utcnow()
    values = {
        "scope": attempt.scope,
        "user_id": actor.user_id,
        "role": actor.role.value,
        "fingerprint": attempt.fingerprint,
        "status": answer.status,
        "headers": answer.headers,
        "body": answer.body,
        "created_at": now,
        "expires_at": now + LIFETIME,
    }
    if not repository.save(uow.session, values, now):
        raise InProgress("Another request with this Idempotency-Key has just been answered.")
    if secrets.randbelow(_TIDY_ONE_IN) == 0:
        # More are deleted than are made meanwhile, so the table stays small if nobody ever purges it.
        repository.delete_expired(uow.session, now, _TIDIED_AT_ONCE)


def purge(uow: UnitOfWork) -> int:
    """Delete up to `PURGED_AT_ONCE` expired answers, and tell how many there were."""
    return repository.delete_expired(uow.session, utcnow(), PURGED_AT_ONCE)
