"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What somebody is allowed to do.  An admin may do all that a user may."""

    USER = "user"
    ADMIN = "admin"


COMMAND_LINE = "command line"
"""The name that stands in the history for what an operator did; no account may take it."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or program behind a request.

    `user_id` is None for the command line, which acts for no account.  `view_version` is the version
    of what the request shows, as of the moment their credential was checked: of everything that this
    actor may read (see `view_versions`), or of the one thing that was asked for.  Caches compare it.
    """

    user_id: UUID | None
    username: str
    role: Role
    view_version: str = ""

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN


def command_line_actor() -> Actor:
    """The actor for commands that an operator runs on the machine itself."""
    return Actor(user_id=None, username=COMMAND_LINE, role=Role.ADMIN)
