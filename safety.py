"""What to look at before serving, beyond the form of each setting; standard library only."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

SHORTEST_METRICS_TOKEN = 16
SHORTEST_ADMIN_PASSWORD = 8
TRIED_FIRST = frozenset(
    {
        *("admin123", "admin1234", "adminadmin", "administrator", "changeme", "change-me", "letmein1"),
        *("password", "password1", "password123", "passw0rd", "p@ssw0rd", "iloveyou", "sunshine"),
        *("12345678", "123456789", "1234567890", "qwertyui", "qwertyuiop"),
    }
)
"""Passwords that everybody tries at an account named `admin`."""


class UnsafeConfiguration(Exception):
    """The settings cannot be used; the message says which one and what to do, in plain words."""


def is_readable(url: str) -> bool:
    """Whether everybody who reads this URL tells its user, password, host and port apart alike.

    Readers differ over characters that should have been percent-encoded, and say in their own words
    what they cannot read: what one takes for a port may be half of a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    ambiguous = parts.netloc.count("@") > 1 or "@" in parts.path or bool(parts.fragment)
    return not ambiguous and port != 0


def in_debug_mode(environ: Mapping[str, str]) -> bool:
    """Whether Flask would show code and values to whoever meets an error."""
    return environ.get("FLASK_DEBUG", "").strip().lower() not in {"", "0", "false", "no", "off"}


def doubts(metrics_token: str, key_files: Iterable[Path]) -> list[str]:
    """What is not unsafe as such, and should be looked at: a sentence each, without any secret."""
    found = []
    if metrics_token and len(metrics_token) < SHORTEST_METRICS_TOKEN:
        found.append(f"METRICS_TOKEN is short; take {SHORTEST_METRICS_TOKEN} random characters or more.")
    return found + [
        f"{path} is open to every user of this machine; chmod 600 it."
        for path in key_files
        if path.is_file() and path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH)
    ]


def check_admin_password(environ: Mapping[str, str] = os.environ) -> None:
    """Raise `UnsafeConfiguration` if the first admin is to get a password that everybody tries first."""
    password = environ.get("ADMIN_PASSWORD", "")
    if password and (len(password) < SHORTEST_ADMIN_PASSWORD or password.lower() in TRIED_FIRST):
        raise UnsafeConfiguration(
            "ADMIN_PASSWORD is too short or among the first that everybody tries. Choose one of at least "
            f"{SHORTEST_ADMIN_PASSWORD} characters, or leave it out: then a random one is made and shown."
        )
