"""The rules for accounts.  Standard library only."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from orders_app.shared.errors import Invalid
from orders_app.shared.identity import COMMAND_LINE
from orders_app.shared.text import clean_text, fold

LONGEST_NAME = 150
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 128


def clean_username(value: str) -> str:
    """A user name: NFKC, trimmed, 1 to 150 characters.  Raises `ValueError` for a person to read."""
    name = clean_text(value, longest=LONGEST_NAME, form="NFKC")
    if ":" in name:
        raise ValueError("A colon is not allowed: Basic authentication could not carry the name.")
    if username_key(name) == username_key(COMMAND_LINE):
        raise ValueError("This name is reserved.")
    return name


def username_key(name: str) -> str:
    """The form in which names are compared: two names with the same key are the same name."""
    return fold(unicodedata.normalize("NFKC", name).strip())


def check_password(value: str) -> str:
    """A password of 8 to 128 characters, taken as it is.  Raises `ValueError`."""
    if not SHORTEST_PASSWORD <= len(value) <= LONGEST_PASSWORD:
        raise ValueError(f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in value):
        raise ValueError("Control characters are not allowed.")
    return value


def checked_account(username: str | None, password: str | None) -> tuple[str | None, str | None]:
    """Both values after their rules; raises `Invalid` naming every field that broke one."""
    errors: dict[str, list[str]] = {}

    def checked(field: str, rule: Callable[[str], str], value: str | None) -> str | None:
        try:
            return rule(value) if value is not None else None
        except ValueError as error:
            errors[field] = [str(error)]
            return None

    name = checked("username", clean_username, username)
    secret = checked("password", check_password, password)
    if errors:
        raise Invalid("The account is not valid.", errors=errors)
    return name, secret
