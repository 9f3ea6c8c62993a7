"""What a page showed of an account, carried by its forms and buttons.

Accounts have no version and no history in the database, so a page carries along what it showed:
`updated_at` tells whether that still stands, and the rest says what became of it if it does not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

from flask_babel import gettext, lazy_gettext

from orders_app.admin.frame.differences import Difference, plain
from orders_app.admin.frame.overtaken import Choice, Overtaken, Step, in_short
from orders_app.admin.frame.presentation import moment
from orders_app.auth.models import User
from orders_app.shared.clock import rfc3339

_LABELS = {
    "username": lazy_gettext("User name"),
    "role": lazy_gettext("Role"),
    "is_active": lazy_gettext("May log in"),
}
_LONGEST = 2_000
_UNKNOWN = lazy_gettext("This page does not say what it showed of the account")
_SOMEBODY = lazy_gettext("Somebody")


@dataclass(frozen=True, slots=True)
class SeenAccount:
    """An account as a page showed it; empty where the page did not say."""

    updated_at: str = ""
    username: str = ""
    role: str = ""
    is_active: bool = False

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(rfc3339(user.updated_at), user.username, user.role, user.is_active)

    @classmethod
    def read(cls, text: str | None) -> Self:
        """What a page sent along; whatever that was."""
        try:
            sent = json.loads((text or "")[:_LONGEST])
            seen = cls(**sent)
            # `\ud800` is good JSON, and no text that could be shown.
            (seen.updated_at + seen.username + seen.role).encode()
        except (ValueError, TypeError, RecursionError):
            return cls()
        return seen

    def __str__(self) -> str:
        return json.dumps(asdict(self))

    def changed(self, now: Self) -> list[Difference]:
        """What became of it."""
        if not self.updated_at:
            return []
        before, after = asdict(self), asdict(now)
        found = [
            Difference(str(label), plain(before[name], name), plain(after[name], name))
            for name, label in _LABELS.items()
            if before[name] != after[name]
        ]
        return found or [
            Difference(
                gettext("Password"),
                None,
                gettext("set anew, or something was changed and changed back"),
            )
        ]

    def in_short(self, user: User) -> str | None:
        """One sentence for a message; None if the account still is what the page showed."""
        now = type(self).of(user)
        if self.updated_at == now.updated_at:
            return None
        if not self.updated_at:
            return gettext("%(what)s; here it is as it stands now.", what=_UNKNOWN)
        found = in_short([str(item) for item in self.changed(now)])
        return gettext(
            "Somebody changed this account meanwhile, at %(at)s. %(found)s.",
            at=moment(user.updated_at),
            found=found,
        )

    def told(self, user: User, mine: Mapping[str, str | bool] | None = None) -> Overtaken:
        """The whole of it; `mine` is what the person entered, None for a password, which is not shown."""
        now = type(self).of(user)
        if mine is None:
            choices = [
                Choice(
                    gettext("Password"),
                    gettext("not shown"),
                    gettext("not shown"),
                    gettext("a new one: type it again below"),
                )
            ]
        else:
            before, after = asdict(self), asdict(now)
            choices = [
                Choice(
                    str(label),
                    plain(before[name], name),
                    plain(after[name], name),
                    plain(mine[name], name),
                )
                for name, label in _LABELS.items()
                if mine[name] != after[name]
            ]
        known = bool(self.updated_at)
        changed = self.changed(now)
        return Overtaken(
            headline=gettext("Somebody changed this account meanwhile") if known else str(_UNKNOWN),
            at=user.updated_at if known else None,
            steps=[Step(None, str(_SOMEBODY), user.updated_at, changed, 0)] if known else [],
            choices=choices,
            has_opened=known,
        )
