"""The rules for accounts.  Standard library only."""

from __future__ import annotations

import ipaddress
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from orders_app.shared.errors import Invalid
from orders_app.shared.identity import COMMAND_LINE
from orders_app.shared.text import clean_text, fold

LONGEST_NAME = 150
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 128
FAILURE_WINDOW = timedelta(minutes=1)
REQUEST_WINDOW = timedelta(minutes=1)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureLimits:
    """How many password checks may fail in one window before there are no more of them; 0 is no limit."""

    per_account: int = 30
    """For one account from one address, so that nobody can lock others out from elsewhere."""
    per_address: int = 300
    """From one address, whatever the account."""


@dataclass(frozen=True, slots=True)
class FailureWindow:
    """The password checks that failed since the first of them; it is over a minute after that one."""

    started_at: datetime
    count: int

    def wait(self, limit: int, now: datetime) -> int:
        """The seconds until the next check is allowed; 0 while there are some left."""
        left = (self.started_at + FAILURE_WINDOW - now).total_seconds()
        if not limit or self.count < limit or left <= 0:
            return 0
        # The hosts' clocks may differ; nobody waits longer than a whole window because of that.
        return min(ceil(left), int(FAILURE_WINDOW.total_seconds()))


@dataclass(frozen=True, slots=True)
class Quota:
    """The requests of a user in a window that began with the first of them."""

    limit: int
    used: int
    started_at: datetime

    @property
    def remaining(self) -> int:
        return max(self.limit - self.used, 0)

    @property
    def is_exceeded(self) -> bool:
        return self.used > self.limit

    def reset(self, now: datetime) -> int:
        """The seconds until a new window begins, between 1 and its length."""
        left = (self.started_at + REQUEST_WINDOW - now).total_seconds()
        return max(1, min(ceil(left), int(REQUEST_WINDOW.total_seconds())))


def client_network(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that an IPv6 customer has to themselves."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed), 64), strict=False))
