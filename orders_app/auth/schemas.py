"""Accounts and tokens on the wire."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields

from orders_app.auth.domain import LONGEST_NAME, LONGEST_PASSWORD, SHORTEST_PASSWORD
from orders_app.http.fields import Moment, text_pattern
from orders_app.http.pagination import page_fields
from orders_app.shared.identity import Role

PageOfUsers = Schema.from_dict(page_fields(), name="PageOfUsers")


def _role(value: str) -> None:
    if value not in set(Role):
        raise ValidationError(f"Must be one of: {', '.join(Role)}.")


class RealBoolean(fields.Boolean):
    """true or false, not words that mean so."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise ValidationError("Not a valid boolean.")
        return value


class LoginSchema(Schema):
    """A name and a password, to be exchanged for tokens."""

    username = fields.String(required=True, metadata={"example": "alice"})
    password = fields.String(required=True, metadata={"format": "password", "example": "alice-password-1"})


class TokensSchema(Schema):
    """An access token for requests and a refresh token for the next pair."""

    refresh = fields.String(required=True)
    access = fields.String(required=True)


class RefreshSchema(Schema):
    """The refresh token that was given last."""

    refresh = fields.String(required=True)


class UserSchema(Schema):
    """An account."""

    user_id = fields.UUID(required=True, attribute="id")
    username = fields.String(required=True)
    role = fields.String(required=True, metadata={"enum": [role.value for role in Role]})
    is_active = fields.Boolean(required=True)
    created_at = Moment(required=True)


_NAME = {"minLength": 1, "maxLength": LONGEST_NAME, "pattern": text_pattern(":"), "example": "alice"}
_PASSWORD = {
    "format": "password",
    "minLength": SHORTEST_PASSWORD,
    "maxLength": LONGEST_PASSWORD,
    "pattern": r"^[^\x00-\x1f\x7f-\x9f]*$",
}
_ROLE = {"enum": [role.value for role in Role]}


class RegistrationSchema(Schema):
    """A name and a password for a new account."""

    username = fields.String(required=True, metadata=_NAME)
    password = fields.String(required=True, metadata=_PASSWORD)


class NewUserSchema(RegistrationSchema):
    """An account that an admin makes.  Without a password nobody can log in to it yet."""

    password = fields.String(load_default=None, metadata=_PASSWORD)
    role = fields.String(load_default=Role.USER.value, validate=_role, metadata=_ROLE)


class UserChangesSchema(Schema):
    """What to change of an account; what is left out stays."""

    username = fields.String(metadata=_NAME)
    password = fields.String(metadata=_PASSWORD)
    role = fields.String(validate=_role, metadata=_ROLE)
    is_active = RealBoolean()
