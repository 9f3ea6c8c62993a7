"""What all commands have in common: plain words instead of tracebacks, one request id, exit status 1."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import click
from flask.cli import AppGroup as FlaskGroup
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from orders_app.orders.importing.options import ImportFailed
from orders_app.shared.correlation import begin
from orders_app.shared.errors import DomainError, Invalid

FAILED = 1


class BadUsage(click.UsageError):
    """A command was called wrongly: a failure like any other."""

    exit_code = FAILED


class Command(click.Command):
    """A command that fails with a sentence on standard error and exit status 1."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise BadUsage(error.format_message(), ctx) from error

    def invoke(self, ctx: click.Context) -> Any:
        begin()
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise BadUsage(error.format_message(), ctx) from error
        except DomainError as error:
            raise click.ClickException(explained(error)) from error
        except ImportFailed as error:
            raise click.ClickException(str(error)) from error
        except DBAPIError as error:
            raise click.ClickException(database_trouble(error)) from error
        except sqlite3.Error as error:  # the temporary file of an import
            raise click.ClickException(f"The temporary file cannot be used: {error}.") from error


class AppGroup(FlaskGroup):
    """A group of such commands, each of which runs in the application's context."""

    command_class = Command


def app_command(name: str, **kwargs: Any) -> Any:
    """A command that stands in no group yet, in the application's context."""

    def decorate(function: Any) -> click.Command:
        made: click.Command = click.command(name, cls=Command, **kwargs)(with_appcontext(function))
        return made

    return decorate


def explained(error: DomainError) -> str:
    """The error with what its fields say, as one text."""
    if not isinstance(error, Invalid) or not error.errors:
        return error.detail
    return "\n".join(_messages(error.errors))


def _messages(errors: Any, place: str = "") -> Iterator[str]:
    if isinstance(errors, dict):
        for key, inner in errors.items():
            yield from _messages(inner, f"{place}.{key}" if place else str(key))
    else:
        yield from (f"{place}: {message}" for message in errors)


def database_trouble(error: DBAPIError) -> str:
    """What is wrong with the database, and what to do about it."""
    reason = str(error.orig).strip().splitlines()[0]
    if "no such table" in reason or "does not exist" in reason or "no such column" in reason:
        return f"The database is not ready ({reason}).  Run: flask --app wsgi db upgrade"
    return f"The database cannot be used: {reason}"
