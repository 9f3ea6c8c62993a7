"""Settings, read from the environment in one place; standard library only.

Every setting has a safe default, so that a fresh checkout runs without any of them.  The one thing
without a default is the pair of keys: `make run` makes them under `instance/` on first use, and
`Config.check_keys` refuses to let a production server start without good ones.

All settings are described in `docs/operations.md`; a test keeps that page complete.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from safety import UnsafeConfiguration, in_debug_mode, is_readable

__all__ = ["Config", "UnsafeConfiguration", "make_keys"]

ROOT = Path(__file__).resolve().parent
INSTANCE = ROOT / "instance"
MINIMUM_KEY_BYTES = 32
KEY_FILES = {"SECRET_KEY": "secret.key", "JWT_SECRET_KEY": "jwt.key"}
EXAMPLE_MARKS = ("change-me", "changeme", "example", "secret", "password", "insecure", "replace")
HOW_TO_MAKE_KEYS = (
    "Make both keys once with `make keys` (it writes them to instance/), or set SECRET_KEY and "
    'JWT_SECRET_KEY to two different values from: python3 -c "import secrets; print(secrets.token_hex(32))"'
)


def _flag(name: str, value: str) -> bool:
    word = value.lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise UnsafeConfiguration(f"{name} must be true or false, not {value!r}.")


def _number_between(low: int, high: int) -> Callable[[str, str], int]:
    def read(name: str, value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            raise UnsafeConfiguration(f"{name} must be a whole number, not {value!r}.") from None
        if not low <= number <= high:
            raise UnsafeConfiguration(f"{name} must be between {low} and {high}, not {number}.")
        return number

    return read


def _names(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.replace(",", " ").split() if part.strip())


def _url(name: str, value: str, beginnings: tuple[str, ...]) -> str:
    """The URL, if those who open it later can read it.

    They would say in their own words what they cannot read, and what they take for a port may be half of
    a password.
    """
    if not value.startswith(beginnings):
        raise UnsafeConfiguration(f"{name} must begin with {' or '.join(beginnings)}.")
    if not value.startswith(("sqlite://", "unix://")) and not is_readable(value):
        raise UnsafeConfiguration(
            f"{name} cannot be read as a URL. In its password write @ as %40, : as %3A, / as %2F, ? as %3F, "
            "# as %23 and % as %25."
        )
    return value


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        raise UnsafeConfiguration(
            f"TRUSTED_PROXIES takes addresses and networks such as 10.0.0.0/8, not {value!r}."
        ) from None


def normalise_database_url(url: str) -> str:
    """Name the driver that is installed: `postgres://` and `postgresql://` mean psycopg 3 here."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def read_key(name: str, environ: Mapping[str, str], instance: Path) -> str:
    """The key from the environment, else from its file under `instance/`, else an empty string."""
    if environ.get(name):
        return environ[name]
    path = instance / KEY_FILES[name]
    return path.read_text(encoding="ascii").strip() if path.is_file() else ""


def make_keys(instance: Path = INSTANCE) -> list[Path]:
    """Write the key files that are missing, readable by their owner only; return what was made."""
    instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = []
    for file_name in KEY_FILES.values():
        path = instance / file_name
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
        made.append(path)
    return made


@dataclass(frozen=True, kw_only=True)
class Config:
    """All settings of one process.  `Config.from_env()` reads them; tests build one directly."""

    database_url: str = field(default=f"sqlite:///{INSTANCE / 'orders.db'}", repr=False)
    redis_url: str = field(default="", repr=False)
    cache_enabled: bool = True
    cache_dir: Path = INSTANCE / "cache"
    cache_seconds: int = 300
    prometheus_multiproc_dir: Path = INSTANCE / "metrics"
    secret_key: str = field(default="", repr=False)
    jwt_secret_key: str = field(default="", repr=False)
    history_key: str = field(default="", repr=False)
    log_dir: Path = ROOT / "logs"
    upload_dir: Path = INSTANCE / "uploads"
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    metrics_token: str = field(default="", repr=False)
    trusted_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    trusted_proxies: tuple[str, ...] = ()
    registration_open: bool = False
    require_if_match: bool = False
    default_page_size: int = 50
    max_page_size: int = 200
    max_content_length: int = 4 * 1024 * 1024
    max_upload_length: int = 32 * 1024 * 1024
    access_token_minutes: int = 15
    refresh_token_days: int = 7
    login_failures_per_account: int = 30
    login_failures_per_address: int = 300
    requests_per_minute: int = 0
    database_pool_size: int = 8
    database_timeout_seconds: int = 10

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ, instance: Path = INSTANCE) -> Config:
        """Read the environment.  Raises `UnsafeConfiguration` for a value that makes no sense."""
        given = {name: value for name, value in environ.items() if value.strip()}
        values: dict[str, Any] = {
            "secret_key": read_key("SECRET_KEY", given, instance),
            "jwt_secret_key": read_key("JWT_SECRET_KEY", given, instance),
            "workers": os.cpu_count() or 1,
        }
        for name, read in READERS.items():
            if name in given:
                values[name.lower()] = read(name, given[name].strip())
        values["trusted_hosts"] = _names(given.get("TRUSTED_HOSTS", "")) or _default_trusted_hosts(
            values.get("host", cls.host)
        )
        proxies = _names(given.get("TRUSTED_PROXIES", ""))
        values["trusted_proxies"] = tuple(_network(proxy) for proxy in proxies)
        return cls(**values)

    def check_keys(self) -> None:
        """Raise `UnsafeConfiguration` unless both keys are long, different and no example."""
        for name in KEY_FILES:
            key = getattr(self, name.lower())
            if not key:
                raise UnsafeConfiguration(f"{name} is not set. {HOW_TO_MAKE_KEYS}")
            if len(key.encode()) < MINIMUM_KEY_BYTES or len(set(key)) < 8:
                raise UnsafeConfiguration(
                    f"{name} is too short or too simple: it needs at least {MINIMUM_KEY_BYTES} random bytes. "
                    + HOW_TO_MAKE_KEYS
                )
            if any(mark in key.lower() for mark in EXAMPLE_MARKS):
                raise UnsafeConfiguration(f"{name} looks like an example. {HOW_TO_MAKE_KEYS}")
        if self.history_key and len(self.history_key.encode()) < MINIMUM_KEY_BYTES:
            raise UnsafeConfiguration(f"HISTORY_KEY needs at least {MINIMUM_KEY_BYTES} random bytes.")
        if self.secret_key == self.jwt_secret_key:
            raise UnsafeConfiguration(f"SECRET_KEY and JWT_SECRET_KEY must differ. {HOW_TO_MAKE_KEYS}")

    def check_serving(self, environ: Mapping[str, str] = os.environ) -> None:
        """Raise `UnsafeConfiguration` where serving would be unsafe: bad keys, or debug mode."""
        self.check_keys()
        if in_debug_mode(environ):
            raise UnsafeConfiguration("FLASK_DEBUG is for development: it shows code to strangers. Unset it.")

    @property
    def history_secret(self) -> str:
        """What the history is sealed with: one secret for its whole life, also when `SECRET_KEY` changes."""
        return self.history_key or self.secret_key

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def largest_page_size(self) -> int:
        """What `page_size` may ask for: `MAX_PAGE_SIZE`, or the default size where that is larger."""
        return max(self.max_page_size, self.default_page_size)

    def make_folders(self) -> None:
        """Create the folders that the process writes to, where they are missing."""
        for folder in (self.cache_dir, self.prometheus_multiproc_dir, self.log_dir):
            folder.mkdir(parents=True, exist_ok=True)
        if self.is_sqlite:
            INSTANCE.mkdir(mode=0o700, parents=True, exist_ok=True)

    def flask(self) -> dict[str, Any]:
        """The same settings under the names that Flask and its extensions read."""
        return {
            "ORDERS": self,
            "SECRET_KEY": self.secret_key or None,
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "MAX_CONTENT_LENGTH": self.max_content_length,
            "MAX_FORM_MEMORY_SIZE": self.max_content_length,
            "SESSION_COOKIE_NAME": "orders_session",
            "SESSION_COOKIE_PATH": "/admin",
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "PERMANENT_SESSION_LIFETIME": timedelta(hours=12),
            "JWT_SECRET_KEY": self.jwt_secret_key or None,
            "JWT_ALGORITHM": "HS256",
            "JWT_TOKEN_LOCATION": ["headers"],
            "JWT_COOKIE_CSRF_PROTECT": False,
            "JWT_DECODE_ALGORITHMS": ["HS256"],
            "JWT_ACCESS_TOKEN_EXPIRES": timedelta(minutes=self.access_token_minutes),
            "JWT_REFRESH_TOKEN_EXPIRES": timedelta(days=self.refresh_token_days),
            "JWT_ENCODE_ISSUER": "orders",
            "JWT_DECODE_ISSUER": "orders",
            "JWT_ENCODE_AUDIENCE": "orders-api",
            "JWT_DECODE_AUDIENCE": "orders-api",
        }


def _text(_name: str, value: str) -> str:
    return value


def _folder(_name: str, value: str) -> Path:
    return Path(value).resolve()


NUMBERS = {
    "PORT": (1, 65535),
    "WORKERS": (1, 256),
    "CACHE_SECONDS": (1, 86_400),
    "DEFAULT_PAGE_SIZE": (1, 1000),
    "MAX_PAGE_SIZE": (1, 1000),
    "MAX_CONTENT_LENGTH": (1024, 1024**3),
    "MAX_UPLOAD_LENGTH": (1024, 1024**3),
    "ACCESS_TOKEN_MINUTES": (1, 24 * 60),
    "REFRESH_TOKEN_DAYS": (1, 365),
    "LOGIN_FAILURES_PER_ACCOUNT": (0, 100_000),
    "LOGIN_FAILURES_PER_ADDRESS": (0, 1_000_000),
    "REQUESTS_PER_MINUTE": (0, 1_000_000),
    "DATABASE_POOL_SIZE": (1, 200),
    "DATABASE_TIMEOUT_SECONDS": (1, 600),
}
READERS: dict[str, Callable[[str, str], Any]] = {
    "DATABASE_URL": lambda name, value: _url(
        name, normalise_database_url(value), ("sqlite://", "postgresql+psycopg://")
    ),
    "REDIS_URL": lambda name, value: _url(name, value, ("redis://", "rediss://", "unix://")),
    "HOST": _text,
    "METRICS_TOKEN": _text,
    "HISTORY_KEY": _text,
    "CACHE_DIR": _folder,
    "PROMETHEUS_MULTIPROC_DIR": _folder,
    "LOG_DIR": _folder,
    "UPLOAD_DIR": _folder,
    "CACHE_ENABLED": _flag,
    "REGISTRATION_OPEN": _flag,
    "REQUIRE_IF_MATCH": _flag,
    **{name: _number_between(low, high) for name, (low, high) in NUMBERS.items()},
}


def _default_trusted_hosts(host: str) -> tuple[str, ...]:
    """The loopback names and the address that is listened on, unless that is "every address"."""
    names = list(Config.trusted_hosts)
    own = f"[{host}]" if ":" in host and not host.startswith("[") else host
    if host not in {"0.0.0.0", "::", "[::]"} and own not in names:  # noqa: S104  (compared, not bound)
        names.append(own)
    return tuple(names)


def setting_names() -> list[str]:
    """The environment variable of every setting."""
    return [item.name.upper() for item in fields(Config)]
