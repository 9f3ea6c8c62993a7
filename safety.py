"""What to look at before serving, beyond the form of each setting; standard library only."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

SHORTEST_METRICS_TOKEN = 16


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
