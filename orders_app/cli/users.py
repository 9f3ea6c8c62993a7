"""`flask users …`: accounts."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click

from orders_app.auth.models import User
from orders_app.auth.repository import get_user_by_name, list_users
from orders_app.auth.services.accounts import (
    AccountChanges,
    account_changes,
    change_user,
    create_user,
    new_account,
)
from orders_app.cli.support import AppGroup
from orders_app.extensions import unit_of_work
from orders_app.shared.clock import rfc3339
from orders_app.shared.errors import NotFound
from orders_app.shared.identity import Role, command_line_actor
from orders_app.shared.unit_of_work import UnitOfWork

users_group = AppGroup("users", help="Create, list and change accounts.")
_HEADINGS = ("NAME", "ROLE", "STATE", "PASSWORD", "CREATED")

password_option = click.option("--password", help="The password; asked for when it is not given.")


@users_group.command("create")
@click.argument("name")
@click.option("--admin", is_flag=True, help="Make an admin.")
@password_option
def create(name: str, admin: bool, password: str | None) -> None:
    """Create an account."""
    role = Role.ADMIN if admin else Role.USER
    with unit_of_work() as uow:
        _check_free(uow, name)
    password = password if password is not None else ask_password()
    account = new_account(name, password, role)
    with unit_of_work() as uow:
        user = create_user(uow, actor=command_line_actor(), account=account)
    click.echo(f"Created the {role.value} {user.username!r}.")


@users_group.command("list")
def list_all() -> None:
    """List all accounts."""
    with unit_of_work() as uow:
        rows = [_row(user) for user in list_users(uow.session)]
    for line in table([_HEADINGS, *rows]):
        click.echo(line)


@users_group.command("passwd")
@click.argument("name")
@password_option
def passwd(name: str, password: str | None) -> None:
    """Set a password.  All log-ins of that user end."""
    with unit_of_work() as uow:
        _named(uow, name)
    password = password if password is not None else ask_password()
    user = _change(name, account_changes(password=password))
    click.echo(f"The password of {user.username!r} is set; all their log-ins have ended.")


@users_group.command("disable")
@click.argument("name")
def disable(name: str) -> None:
    """Disable an account.  All log-ins of that user end; their orders stay."""
    user = _change(name, account_changes(is_active=False))
    click.echo(f"{user.username!r} is disabled.")


@users_group.command("enable")
@click.argument("name")
def enable(name: str) -> None:
    """Enable an account again."""
    user = _change(name, account_changes(is_active=True))
    click.echo(f"{user.username!r} is enabled.")


def ask_password() -> str:
    """A password typed twice and not shown; without a terminal, a line of standard input."""
    if on_terminal():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return typed
    line = sys.stdin.readline() if sys.stdin is not None else ""
    if not line:
        raise click.ClickException("There is nobody to ask for the password; give it with --password.")
    return line.rstrip("\r\n")


def on_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Lines with aligned columns."""
    rows = list(rows)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _row(user: User) -> tuple[str, ...]:
    return (
        user.username,
        user.role,
        "active" if user.is_active else "disabled",
        "set" if user.password_hash else "none",
        rfc3339(user.created_at),
    )


def _change(name: str, changes: AccountChanges) -> User:
    with unit_of_work() as uow:
        found = _named(uow, name)
        return change_user(uow, actor=command_line_actor(), user_id=found.id, changes=changes)


def _named(uow: UnitOfWork, name: str) -> User:
    user = get_user_by_name(uow.session, name)
    if user is None:
        raise NotFound(f"There is no user {name!r}.")
    return user


def _check_free(uow: UnitOfWork, name: str) -> None:
    """Say that a name is taken before anybody has typed a password for it."""
    if get_user_by_name(uow.session, name) is not None:
        raise click.ClickException(f"The name {name!r} is taken.")
