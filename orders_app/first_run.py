"""Make an installation ready to serve: `python -m orders_app.first_run`.

Makes the keys, brings the database to the newest schema and opens the first admin's account.  Each of
these is done once; run again, it finds them there.  `make run` and the one-shot container of the compose
file begin with it.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from flask_migrate import upgrade
from sqlalchemy.exc import OperationalError

from config import ROOT, Config, make_keys
from orders_app import create_app
from orders_app.auth import repository
from orders_app.auth.services.accounts import create_user, new_account
from orders_app.extensions import db, unit_of_work
from orders_app.http.ended_processes import leave_no_counters
from orders_app.migrating import enable_migrations
from orders_app.shared.errors import DomainError
from orders_app.shared.identity import Role, command_line_actor
from safety import UnsafeConfiguration, check_admin_password

FIRST_ADMIN = "admin"
PASSWORD_BYTES = 15  # 20 characters of base64


def main() -> int:
    """Do what is still to be done, and say what was; the exit status is 1 where something is in the way."""
    try:
        prepare()
    except (UnsafeConfiguration, DomainError) as error:
        return refuse(str(error))
    except OperationalError as error:
        return refuse(f"The database cannot be used: {error.orig}")
    except OSError as error:
        return refuse(f"{error.strerror}: {error.filename}")
    return 0


def prepare() -> None:
    """Keys, schema, first admin."""
    check_admin_password()
    if not (os.environ.get("SECRET_KEY") and os.environ.get("JWT_SECRET_KEY")):
        make_keys()
    config = Config.from_env()
    config.check_keys()
    app = create_app(config)
    leave_no_counters()
    enable_migrations(app)
    with app.app_context():
        upgrade()
        print(make_first_admin(os.environ.get("ADMIN_PASSWORD", "")), flush=True)
        db.engine.dispose()


def make_first_admin(given_password: str = "") -> str:
    """Open the account unless there is an admin already; returns the line to print.

    A password that was made up here is in that line, and nowhere else; one that was given is not.
    """
    password = given_password or secrets.token_urlsafe(PASSWORD_BYTES)
    account = new_account(FIRST_ADMIN, password, Role.ADMIN)
    with unit_of_work() as uow:
        if repository.lock_active_admins(uow.session):
            program = Path(sys.prefix, "bin", "flask")
            shown = program.relative_to(ROOT) if program.is_relative_to(ROOT) else program.name
            command = f"{shown} --app wsgi users passwd {FIRST_ADMIN}"
            return f"There is an admin already. To set a new password: {command}"
        create_user(uow, actor=command_line_actor(), account=account)
    if given_password:
        return f"The first admin is {FIRST_ADMIN}, with the password of ADMIN_PASSWORD."
    return f"The first admin is made; this is shown once. User name: {FIRST_ADMIN}, password: {password}"


def refuse(reason: str) -> int:
    """Say what is in the way, and return the exit status."""
    print(f"Cannot get ready. {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
