"""How a caller is read, in one statement: their account, and the version of what the request shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, literal, select
from sqlalchemy.orm import aliased

from orders_app.auth.domain import FailureWindow, username_key
from orders_app.auth.models import LoginFailures, TokenFamily, User
from orders_app.shared.driver import Row
from orders_app.shared.identity import Actor, Role
from orders_app.shared.prepared import Asked, Prepared
from orders_app.shared.view_versions import version_seen_by


@dataclass(frozen=True, slots=True)
class Credential:
    """What the database says of a caller: who they are, and what to check a password against.

    `asked` finds out whether it still says the same; by then `good_until` may be over, the end of a log-in or
    of the memory of a password.  `along` is what was read with them, of the same moment.
    """

    actor: Actor
    is_active: bool
    password_hash: str | None
    asked: Asked
    good_until: datetime
    along: Row | None = None


_OF_ACCOUNT = aliased(LoginFailures)
_OF_ADDRESS = aliased(LoginFailures)
_ONE_ROW = select(literal(1).label("one")).subquery()


class CredentialQueries:
    """How a caller's account is read, and with it the version of what the request shows.

    `version` is SQL for that: text that changes with whatever is shown, in the same commit.  `along` adds to
    a statement that finds a caller what else it is to read, which leaves their row as it is if there is none.
    """

    def __init__(
        self, version: ColumnElement[str], along: Callable[[Select[Any]], Select[Any]] | None = None
    ) -> None:
        columns: tuple[Any, ...] = (
            *(User.id, User.username, User.role, User.is_active, User.password_hash),
            func.coalesce(version, "").label("view_version"),
        )
        # One row whether or not the account exists, so that both take as long, and the failures cost no
        # statement of their own.
        self.by_name = Prepared(
            select(
                *columns,
                _OF_ACCOUNT.started_at,
                _OF_ACCOUNT.count,
                _OF_ADDRESS.started_at,
                _OF_ADDRESS.count,
            )
            .select_from(_ONE_ROW)
            .outerjoin(User, User.username_key == bindparam("key"))
            .outerjoin(_OF_ACCOUNT, _OF_ACCOUNT.key == bindparam("account"))
            .outerjoin(_OF_ADDRESS, _OF_ADDRESS.key == bindparam("address"))
        )
        by_family = (
            select(*columns, TokenFamily.expires_at)
            .join(TokenFamily, TokenFamily.user_id == User.id)
            .where(
                User.id == bindparam("user_id"),
                TokenFamily.id == bindparam("family_id"),
                TokenFamily.revoked_at.is_(None),
            )
        )
        self.by_family = Prepared(by_family)
        self.by_family_and_along = Prepared(along(by_family)) if along is not None else None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a request shows: how its version is read, and with which values."""

    queries: CredentialQueries
    values: Mapping[str, Any]


ALL_THEY_SEE: Final = Shown(
    CredentialQueries(version_seen_by(User.__table__.c.id, User.__table__.c.role == Role.ADMIN.value)), {}
)
"""What may be of any order that the caller sees: lists, say."""


def _credential(
    row: Sequence[Any], asked: Asked, good_until: datetime, along: Row | None = None
) -> Credential:
    user_id, username, role, is_active, password_hash, view_version = row
    actor = Actor(user_id, username, Role(role), view_version)
    return Credential(actor, is_active, password_hash, asked, good_until, along)


@dataclass(frozen=True, slots=True)
class NamedCredential:
    """The account of a name, if there is one, and the checks that failed for it and for the address."""

    credential: Credential | None
    of_account: FailureWindow | None
    of_address: FailureWindow | None


def credential_by_name(
    connection: Connection,
    username: str,
    now: datetime,
    *,
    account: str,
    address: str,
    shown: Shown = ALL_THEY_SEE,
) -> NamedCredential:
    """The account of that name, without regard to case; `account` and `address` are keys of failures.

    The credential is good for no moment: its password was not checked.
    """
    values = {"key": username_key(username), "account": account, "address": address, **shown.values}
    asked = shown.queries.by_name.ask(connection, values)
    [[*of_user, account_since, account_count, address_since, address_count]] = asked.rows()
    return NamedCredential(
        _credential(of_user, asked, now) if of_user[0] is not None else None,
        FailureWindow(account_since, account_count) if account_since is not None else None,
        FailureWindow(address_since, address_count) if address_since is not None else None,
    )


def credential_by_family(
    connection: Connection, user_id: UUID, family_id: UUID, *, shown: Shown = ALL_THEY_SEE
) -> Credential | None:
    """The account, provided that this log-in of theirs was not ended; good until that ends by itself."""
    values = {"user_id": user_id, "family_id": family_id, **shown.values}
    queries, along = shown.queries, None
    if queries.by_family_and_along is None:
        asked = queries.by_family.ask(connection, values)
    else:
        asked, along = queries.by_family.ask_in(queries.by_family_and_along, connection, values)
    for *of_user, expires_at in asked.rows():
        return _credential(of_user, asked, expires_at, along[0] if along is not None else None)
    return None
