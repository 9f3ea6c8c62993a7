"""FA23, FA24: migrations at the same moment, and forth and back over data."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import MetaData, inspect, select

from config import ROOT
from orders_app.extensions import db, unit_of_work
from orders_app.orders import services
from orders_app.orders.domain import OrderChanges, OrderStatus
from orders_app.shared.persistence import Base
from tests import factories
from tests.server.processes import ServerProcess

STEPS = [step.revision for step in ScriptDirectory(str(ROOT / "migrations")).walk_revisions()]
"""From the newest to the oldest."""


def test_fa23_two_upgrades_at_once_are_one(empty_app: Flask, tmp_path: Path) -> None:
    """One applies the steps, the other waits for it and finds nothing left to do; none fails."""
    url = empty_app.config["ORDERS"].database_url
    job = ServerProcess(tmp_path, DATABASE_URL=url)
    command = ["-m", "flask", "--app", "wsgi", "db", "upgrade"]
    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(lambda _: job.run(*command), range(2)))
    assert [process.returncode for process in done] == [0, 0], [process.stderr for process in done]
    with empty_app.app_context():
        assert set(inspect(db.engine).get_table_names()) - {"alembic_version"} == set(Base.metadata.tables)


# SQLAlchemy cannot read an index on an expression back; what is compared here is the data.
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.parametrize("step", STEPS)
def test_fa24_a_step_back_and_forth_leaves_the_data_alone(empty_app: Flask, step: str) -> None:
    """Back to each earlier step and forth to the newest: all rows of the tables that stay are the same."""
    with empty_app.app_context():
        flask_migrate.upgrade()
        make_data()
        before = contents()
        flask_migrate.downgrade(revision=step)
        kept = columns()
        flask_migrate.upgrade()
        after = contents()
        verified = empty_app.test_cli_runner().invoke(args=["orders", "verify"])
    names = {"users", "orders", "order_lines", "order_events", "view_versions"}
    assert names <= set(kept)
    assert all(before[name] for name in names)
    for name, stayed in kept.items():
        # A column that was away, such as the seals of events, is made anew.
        assert of_columns(after[name], stayed) == of_columns(before[name], stayed), name
    assert verified.exit_code == 0, verified.output


def make_data() -> None:
    session = db.session()
    session.add(factories.user(username="alice", password=factories.password_of("alice")))
    session.commit()
    alice = factories.actor("alice")
    with unit_of_work() as uow:
        order = services.create_order(
            uow,
            actor=alice,
            new=factories.new_order(factories.order_line(), factories.order_line(name="Ökö ☕")),
        )
    with unit_of_work() as uow:
        services.change_order(
            uow,
            actor=alice,
            order_id=order.order_id,
            changes=OrderChanges(status=OrderStatus.CONFIRMED),
            if_match=None,
        )
    db.session.remove()


def columns() -> dict[str, set[str]]:
    """The names of the columns of every table."""
    found = MetaData()
    found.reflect(db.engine)
    return {
        name: {column.name for column in table.columns}
        for name, table in found.tables.items()
        if name != "alembic_version"
    }


def of_columns(rows: list[dict[str, Any]], names: set[str]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name in names} for row in rows]


def contents() -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, read past the models."""
    found = MetaData()
    found.reflect(db.engine)
    with db.engine.connect() as connection:
        return {
            name: sorted(map(dict, connection.execute(select(table)).mappings()), key=repr)
            for name, table in found.tables.items()
            if name != "alembic_version"
        }
