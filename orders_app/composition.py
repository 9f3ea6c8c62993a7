"""The composition root: which part talks to which is decided here and nowhere else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import flask_swagger_ui
from flask import Blueprint, Flask, Request, redirect, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from prometheus_client import Metric
from sqlalchemy import text
from werkzeug.wrappers import Response

from config import ROOT, Config
from orders_app import admin
from orders_app.auth.guards import tell_limits
from orders_app.auth.routes import blp as auth_blueprint
from orders_app.auth.routes import registration_blp, users_blp
from orders_app.events_log.receivers import connect as connect_receivers
from orders_app.events_log.routes import blp as history_blueprint
from orders_app.extensions import SINGLE_STATEMENTS, api, cache, db, jwt, read_connection
from orders_app.http.database import begin_by_hand, engine_options
from orders_app.http.errors import register_error_handlers
from orders_app.http.health import serve_health
from orders_app.http.hooks import register_hooks
from orders_app.http.log_files import log_to_stderr, open_log_files
from orders_app.http.metrics import count_requests, serve_metrics
from orders_app.http.proxies import TrustedProxies
from orders_app.http.ready_answers import ReadyAnswers
from orders_app.http.retries import RetryingFlask
from orders_app.http.security_headers import csp_nonce
from orders_app.http.standing import Gauges, free_space, gauge
from orders_app.http.unread_bodies import finish_reading
from orders_app.http.whole_answers import WholeAnswers, tell_whole_answers
from orders_app.migrating import is_up_to_date
from orders_app.orders.gauges import orders_as_they_stand
from orders_app.orders.routes import blp as orders_blueprint

VERSION = "0.1.0"
DESCRIPTION = """\
A REST API for managing orders.

**Credentials**: every endpoint takes `Authorization: Basic …` or `Authorization: Bearer <access>`;
`POST /api/v1/login/` gives the tokens.  **Errors** are RFC 9457 problem details with a stable `code`.
**Money** is a string with two decimal places, **times** are RFC 3339 in UTC.
"""
CACHED_FILES = 20_000


def compose(config: Config) -> Flask:
    """The application for these settings."""
    app = RetryingFlask("orders_app", instance_path=str(ROOT / "instance"))
    app.config.from_mapping(config.flask())
    app.config.from_mapping(_extension_settings(config))
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # a redirect is a page, and no client of the API asked for one
    app.json.sort_keys = False  # type: ignore[attr-defined]  # of Flask's default provider
    app.session_interface = _SessionInterface()
    app.wsgi_app = TrustedProxies(  # type: ignore[method-assign]  # Flask's documented way
        ReadyAnswers(WholeAnswers(app.wsgi_app)), config.trusted_proxies
    )

    log_to_stderr()
    open_log_files(config.log_dir)
    connect_receivers()
    count_requests(app)
    register_hooks(app, config.trusted_hosts)
    tell_whole_answers(app)
    finish_reading(app)
    tell_limits(app)
    register_error_handlers(app, page=admin.error_page)
    _bind_extensions(app, config)
    _serve_api(app, config)
    admin.register(app, csp_nonce)
    _serve_operations(app, config)
    return app


class _SessionInterface(SecureCookieSessionInterface):
    """The panel's cookie is Secure wherever the request came over HTTPS.

    There its name says so too: a browser takes a `__Host-` cookie from this host alone, over HTTPS alone,
    for all paths, so no neighbour under the same domain can plant one.
    """

    digest_method = staticmethod(hashlib.sha256)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        # Only the panel has one; elsewhere whoever tries to use it is told that there is none.
        return super().open_session(app, request) if admin.is_panel_path(request.path) else None

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure

    def get_cookie_name(self, app: Flask) -> str:
        name = super().get_cookie_name(app)
        return f"__Host-{name}" if request.is_secure else name

    def get_cookie_path(self, app: Flask) -> str:
        return "/" if request.is_secure else super().get_cookie_path(app)


def _extension_settings(config: Config) -> dict[str, Any]:
    backend = "redis_cache.ResilientRedisCache" if config.redis_url else "cache_backends.SharedFileCache"
    return {
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(config),
        "CACHE_TYPE": f"orders_app.http.{backend}" if config.cache_enabled else "NullCache",
        "CACHE_NO_NULL_WARNING": True,
        "CACHE_DIR": str(config.cache_dir),
        "CACHE_REDIS_URL": config.redis_url,
        "CACHE_KEY_PREFIX": "orders:",
        "CACHE_DEFAULT_TIMEOUT": config.cache_seconds,
        "CACHE_THRESHOLD": CACHED_FILES,
        "API_TITLE": "Orders",
        "API_VERSION": VERSION,
        "OPENAPI_VERSION": "3.1.0",
        "OPENAPI_URL_PREFIX": "/",
        "OPENAPI_JSON_PATH": "openapi.json",
        "OPENAPI_SWAGGER_UI_PATH": "/swagger/",
        "OPENAPI_SWAGGER_UI_URL": "/swagger/assets/",
        "OPENAPI_SWAGGER_UI_CONFIG": {"persistAuthorization": False, "displayRequestDuration": True},
        "API_SPEC_OPTIONS": {
            "info": {"description": DESCRIPTION, "license": {"name": "MIT"}},
            "security": [{"basicAuth": []}, {"bearerAuth": []}],
        },
    }


def _bind_extensions(app: Flask, config: Config) -> None:
    db.init_app(app)
    jwt.init_app(app)
    cache.init_app(app)
    with app.app_context():
        engine = db.engine
    begin_by_hand(engine)
    # Each worker process loads the driver that it uses, and not the other one.
    if config.is_sqlite:
        from orders_app.http.sqlite import prepare_sqlite

        app.extensions[SINGLE_STATEMENTS] = prepare_sqlite(engine)
    else:
        from orders_app.http.postgres import prepare_postgres

        app.extensions[SINGLE_STATEMENTS] = prepare_postgres(engine, config)


def _serve_api(app: Flask, config: Config) -> None:
    api.init_app(app)
    schemes = {
        "basicAuth": {"type": "http", "scheme": "basic"},
        "bearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    }
    for name, scheme in schemes.items():
        api.spec.components.security_scheme(name, scheme)
    blueprints = [auth_blueprint, users_blp, orders_blueprint, history_blueprint]
    if config.registration_open:
        blueprints.insert(1, registration_blp)
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    assets = Path(flask_swagger_ui.__file__).with_name("dist")
    app.register_blueprint(
        Blueprint("swagger_assets", __name__, static_folder=str(assets), static_url_path="/swagger/assets")
    )
    app.jinja_env.globals["csp_nonce"] = csp_nonce

    @app.get("/")
    def home() -> Response:
        return redirect("/swagger/")


def _serve_operations(app: Flask, config: Config) -> None:
    def database() -> str | None:
        with read_connection() as connection:
            connection.execute(text("SELECT 1"))
        return None

    def migrations() -> str | None:
        with read_connection() as connection:
            good = is_up_to_date(connection)
        return None if good else "not up to date; run flask --app wsgi db upgrade"

    def cache_answers() -> str | None:
        backend: Any = cache.cache  # what CACHE_TYPE names
        return None if not config.cache_enabled or backend.is_reachable() else "does not answer"

    serve_health(
        app,
        required={"database": database, "migrations": migrations},
        optional={"cache": cache_answers},
    )
    serve_metrics(app, config.metrics_token, _gauges(app, config, cache_answers))


def _gauges(app: Flask, config: Config, cache_answers: Callable[[], str | None]) -> Iterator[Gauges]:
    def database(is_up: bool) -> Metric:
        return gauge("orders_database_up", "Whether the database tells how the orders stand.", float(is_up))

    def orders() -> Sequence[Metric]:
        with app.app_context(), read_connection() as connection:
            return [database(True), *orders_as_they_stand(connection)]

    def cache_up() -> Sequence[Metric]:
        with app.app_context():
            return [gauge("orders_cache_up", "Whether the cache takes entries.", float(not cache_answers()))]

    def disk() -> Sequence[Metric]:
        return free_space({"metrics": config.prometheus_multiproc_dir, "logs": config.log_dir})

    yield Gauges("orders", orders, otherwise=[database(False)])
    if config.cache_enabled:
        yield Gauges("cache", cache_up)
    yield Gauges("disk", disk)
