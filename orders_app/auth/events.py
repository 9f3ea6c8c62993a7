"""What happens to accounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from orders_app.shared.events import Event


class UserEventName(StrEnum):
    """The names under which the events stand in the history of accounts and in `general.log`."""

    CREATED = "user.created"
    UPDATED = "user.updated"
    LOGGED_IN = "user.logged_in"
    LOGGED_OUT = "user.logged_out"
    TOKEN_REUSED = "user.refresh_token_reused"  # noqa: S105  (a name, no secret)
    SESSIONS_ENDED = "user.sessions_ended"
    LINK_MADE = "user.password_link_made"
    LINK_USED = "user.password_link_used"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserEvent(Event):
    """Something happened to an account.

    `changed` names the fields for the log, never their values; `changes` is `{field: [before, after]}` for
    the history, where a password is "none" or "set".
    """

    subject_id: UUID
    subject_name: str
    changed: tuple[str, ...] = ()
    changes: dict[str, list[Any]] = field(default_factory=dict)

    def details(self) -> dict[str, Any]:
        fields: dict[str, Any] = {"subject": self.subject_name}
        if self.changed:
            fields["changed"] = list(self.changed)
        return fields
