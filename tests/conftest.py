"""What all tests share: the two back ends, the application on each of them, and people who call it.

Everything that stands below `app` begins each test with three accounts (alice, bob, admin) and no
orders.  The callers (`alice`, `bob`, `admin`, `anonymous`) speak HTTP and hold no application context,
which would carry the logged-in user from one request to the next.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

# prometheus_client decides at its first import whether it counts in files, so this comes before all
# imports of the application.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="orders-test-metrics-")

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy.orm import Session

from config import Config
from orders_app import create_app
from orders_app.cli import register as register_commands
from orders_app.extensions import cache, db
from orders_app.http.log_files import open_log_files
from orders_app.http.redis_cache import ResilientRedisCache
from orders_app.migrating import enable_migrations
from orders_app.shared.identity import Actor
from tests import factories
from tests.admin.visitor import Visitor
from tests.callers import Caller
from tests.document import Document

pytest_plugins = ["tests.servers", "tests.cases.served"]

PATIENCE_SECONDS = 10.0


def pytest_unconfigure() -> None:
    """Leave no counters behind."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


@dataclass(frozen=True)
class Backend:
    """A database and a cache, and the settings for them."""

    name: str
    config: Config

    @property
    def has_redis(self) -> bool:
        return bool(self.config.redis_url)


@pytest.fixture(
    scope="session",
    params=[
        "sqlite+files",
        pytest.param("postgresql+redis", marks=[pytest.mark.postgres, pytest.mark.redis]),
    ],
)
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """One of the two back ends that everything must hold on, with an empty database."""
    name = str(request.param)
    folder = tmp_path_factory.mktemp(name.replace("+", "-"))
    if name == "sqlite+files":
        yield Backend(name, settings(folder))
        return
    redis = request.getfixturevalue("redis_server")
    postgres = request.getfixturevalue("postgres_server")
    with postgres.database() as url:
        yield Backend(name, settings(folder, database_url=url, redis_url=redis.url))


def settings(folder: Path, **others: object) -> Config:
    """Settings that keep everything in one folder."""
    config = Config(
        database_url=f"sqlite:///{folder}/orders.db",
        cache_dir=folder / "cache",
        log_dir=folder / "logs",
        upload_dir=folder / "uploads",
        prometheus_multiproc_dir=Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]),
        secret_key="k3y-for-sessions-" + "0123456789abcdef" * 2,
        jwt_secret_key="k3y-for-tokens-" + "fedcba9876543210" * 2,
    )
    return replace(config, **others)  # type: ignore[arg-type]  # any setting, by its name


@pytest.fixture(scope="session")
def migrated(backend: Backend) -> Backend:
    """The back end with its tables, made by the migrations."""
    app = create_app(backend.config)
    enable_migrations(app)
    with app.app_context():
        flask_migrate.upgrade()
        db.engine.dispose()
    return backend


def be_patient(app: Flask) -> None:
    """A machine that stands still for a moment is no cache server that does not answer."""
    with app.app_context():
        backend: object = cache.cache
        if isinstance(backend, ResilientRedisCache):
            backend.patience = PATIENCE_SECONDS
            backend._write_client.connection_pool.connection_kwargs["socket_timeout"] = PATIENCE_SECONDS


@pytest.fixture(scope="session")
def make_app(migrated: Backend) -> Iterator[Callable[..., Flask]]:
    """Make an application on this back end: `make_app(registration_open=True)`."""
    made: list[Flask] = []

    def make(**others: object) -> Flask:
        app = create_app(replace(migrated.config, **others))  # type: ignore[arg-type]  # as above
        register_commands(app)
        be_patient(app)
        app.extensions["orders_document"] = Document(app)
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture(scope="session")
def shared_app(make_app: Callable[..., Flask]) -> Flask:
    """The application with the usual settings; tests ask for `app` instead."""
    return make_app()


@pytest.fixture
def app(shared_app: Flask, migrated: Backend) -> Flask:
    """The application, with its three accounts and nothing else in the database."""
    with shared_app.app_context():
        factories.begin_anew(db.session())
    folder = migrated.config.log_dir
    open_log_files(folder)
    for log in folder.glob("*.log"):
        log.write_text("")
    return shared_app


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An application on a database without tables."""
    if request.param == "sqlite":
        config = settings(tmp_path)
    else:
        config = settings(tmp_path, database_url=request.getfixturevalue("postgres_url"))
    application = create_app(config)
    enable_migrations(application)
    register_commands(application)
    yield application
    with application.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def log_dir(app: Flask, migrated: Backend) -> Path:
    """Where `general.log` and `events.log` are; both were emptied before the test."""
    return migrated.config.log_dir


@pytest.fixture
def anonymous(app: Flask) -> Caller:
    return Caller(app)


@pytest.fixture
def alice(app: Flask) -> Caller:
    """A user, by Bearer token."""
    return Caller.by_token(app, "alice")


@pytest.fixture
def bob(app: Flask) -> Caller:
    """Another user, by Bearer token."""
    return Caller.by_token(app, "bob")


@pytest.fixture
def admin(app: Flask) -> Caller:
    """An admin, by Bearer token."""
    return Caller.by_token(app, "admin")


@pytest.fixture
def stranger(app: Flask) -> Visitor:
    """Somebody at the panel who has not logged in."""
    return Visitor(app)


@pytest.fixture
def panel(app: Flask) -> Visitor:
    """The admin, logged in to the panel."""
    return Visitor.logged_in(app)


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """For tests of services: an application context, and a session to look at what was saved.

    Each statement on it sees what is committed by then.  Services have a session of their own.
    """
    with app.app_context(), Session(db.engine.execution_options(single_statements=True)) as looking:
        yield looking


@pytest.fixture
def as_alice(session: Session) -> Actor:
    return factories.actor("alice")


@pytest.fixture
def as_bob(session: Session) -> Actor:
    return factories.actor("bob")


@pytest.fixture
def as_admin(session: Session) -> Actor:
    return factories.actor("admin")
