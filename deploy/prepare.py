"""The first container of `docker compose up`: makes the secrets that nobody gave, once.

It runs as root, without a network, and hands each file to the one user who has to read it.  What is
given in the environment wins; what is there already stays, so that a restart changes nothing.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

APPLICATION = 10001  # the user of the image
POSTGRES = 70  # the user `postgres` of the Alpine image
GRAFANA = 472  # the user of Grafana's image
PROMETHEUS = 65534  # the user `nobody` of Prometheus's image
SECRETS = Path(os.environ.get("SECRETS_DIR", "/secrets"))
LOGS = Path(os.environ.get("LOG_DIR", "/var/log/orders"))


def secret(service: str, name: str, owner: int, setting: str = "") -> str:
    """The secret in this file: what the setting gives, else what is there, else a new one."""
    path = folder_of(service, owner) / name
    value = os.environ.get(setting, "") or (path.read_text(encoding="ascii").strip() if path.exists() else "")
    write(path, value or secrets.token_hex(32), owner)
    return path.read_text(encoding="ascii").strip()


def given(service: str, name: str, owner: int, setting: str) -> None:
    """Hand on what the setting gives; an empty file where that is nothing."""
    write(folder_of(service, owner) / name, os.environ.get(setting, ""), owner)


def folder_of(service: str, owner: int) -> Path:
    """The folder of a service's secrets, which only it can enter."""
    folder = SECRETS / service
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    os.chown(folder, owner, owner)
    return folder


def write(path: Path, text: str, owner: int) -> None:
    """Write a file that only its owner can read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text + "\n")
    os.chown(path, owner, owner)


def main() -> None:
    """Make what is missing."""
    secret("application", "secret.key", APPLICATION, "SECRET_KEY")
    secret("application", "jwt.key", APPLICATION, "JWT_SECRET_KEY")
    password = secret("postgres", "password", POSTGRES, "POSTGRES_PASSWORD")
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    write(SECRETS / "application" / "pgpass", f"postgres:5432:orders:orders:{escaped}", APPLICATION)
    secret("grafana", "password", GRAFANA, "GRAFANA_PASSWORD")
    given("prometheus", "metrics_token", PROMETHEUS, "METRICS_TOKEN")
    LOGS.mkdir(parents=True, exist_ok=True)
    os.chown(LOGS, APPLICATION, APPLICATION)
    print("The secrets are in place.")


if __name__ == "__main__":
    main()
