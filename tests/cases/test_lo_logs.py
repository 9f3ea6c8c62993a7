"""What the logs say, and what they cannot be made to say."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from orders_app.extensions import db
from orders_app.http.log_files import ProcessFormatter
from orders_app.orders import routes, services
from orders_app.shared.events import Event
from orders_app.shared.signals import events_recorded
from orders_app.shared.unit_of_work import UnitOfWork
from tests import factories
from tests.admin.visitor import Visitor, hidden, order_fields
from tests.callers import ORDERS, USERS, Caller, basic, path_of
from tests.factories import body, line

LOGIN = "/api/v1/login/"
EVIL = [
    *(
        "\n",
        "\r",
        "\r\n",
        "\x1b",
        "\u2028",
        "\u2029",
        "\x85",
        "\0",
        "\x0b",
        "\x0c",
        "\x1c",
        "\x1e",
        "\x7f",
        "\x9b",
    ),
    *('"', "\\", "'", "\u202e", "\U0001f600"),
]


def lines(log_dir: Path, name: str = "general.log") -> list[dict[str, Any]]:
    """The lines of a log; fails where a line is not whole, or could look like two to some reader."""
    path = log_dir / name
    content = path.read_text() if path.exists() else ""
    assert content.splitlines() == content.split("\n")[:-1]
    assert not any(character in content for character in "\x1b\u2028\u2029\x85\0\x9b\x7f\u202e")
    return [json.loads(line) for line in content.splitlines()]


@pytest.fixture
def said(app: Flask) -> Iterator[io.StringIO]:
    """What the process says of itself on standard error, as it is written there."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ProcessFormatter())
    logging.getLogger("orders_app").addHandler(handler)
    yield stream
    logging.getLogger("orders_app").removeHandler(handler)


@pytest.mark.parametrize("character", EVIL, ids=ascii)
def test_lo01_one_event_is_one_line(
    app: Flask, admin: Caller, anonymous: Caller, log_dir: Path, said: io.StringIO, character: str
) -> None:
    """Whatever is in names, in what is bought, in headers and in paths."""
    evil = f'x{character}{{"event": "forged"}}{character}'
    anonymous.post(LOGIN, {"username": evil, "password": "x"})
    Caller(app, basic(evil, evil)).get(ORDERS)
    named = admin.post(USERS, {"username": evil, "password": "long enough"})
    if named.status_code == 201:
        Caller.by_password(app, named.get_json()["username"], "long enough").order()
    else:
        assert named.status_code == 422
    admin.post(ORDERS, body(products=[line(name=evil)]))
    admin.post(ORDERS, body(user=evil))
    admin.get(f"/nothing/{evil}")
    admin.get(f"{ORDERS}{evil}/", headers={"X-Request-ID": "a-good-one"})
    admin.get(ORDERS, query={"q": evil, evil: evil})
    for name in ("HTTP_X_REQUEST_ID", "HTTP_USER_AGENT", "HTTP_X_FORWARDED_FOR", "HTTP_AUTHORIZATION"):
        app.test_client().get(ORDERS, environ_overrides={name: evil})
    Visitor(app).log_in(evil, evil)
    logged = lines(log_dir)
    lines(log_dir, "events.log")
    assert len(logged) >= 5
    assert "forged" not in {entry["event"] for entry in logged}
    claimed = {entry["user"] for entry in logged}
    assert evil in claimed, "what was claimed is told as it was"
    assert all(json.loads(line)["level"] for line in said.getvalue().splitlines())


def denied(log_dir: Path, request_id: str) -> list[tuple[str, str, str]]:
    """The user, the reason and the address of refusals of one request."""
    return [
        (entry["user"], entry["reason"], entry["address"])
        for entry in lines(log_dir)
        if entry["event"] == "access.denied" and entry["request_id"] == request_id
    ]


def test_lo03_every_failed_authentication_is_logged(
    app: Flask, anonymous: Caller, admin: Caller, log_dir: Path
) -> None:
    """Once, with the name that was claimed, the address, the request and why."""
    tokens = factories.logged_in(app, "bob")
    old = factories.logged_in(app, "alice")
    factories.change_user(app, "alice", is_active=False)
    tries = {
        "none": (None, "", "no_credentials"),
        "malformed": ("Basic !!!!", "", "unreadable_credentials"),
        "no-colon": ("Basic YWxpY2U=", "", "unreadable_credentials"),
        "nobody": (basic("", ""), "", "unreadable_credentials"),
        "unknown-scheme": ("Digest x", "", "unreadable_credentials"),
        "huge": ("Basic " + "A" * 100_000, "", "unreadable_credentials"),
        "wrong": (basic("bob", "wrong password"), "bob", "wrong_password"),
        "unknown-name": (basic("mallory", "wrong password"), "mallory", "wrong_password"),
        "disabled": (basic("alice"), "alice", "wrong_password"),
        "forged": ("Bearer a.b.c", "", "bad_token"),
        "empty-token": ("Bearer ", "", "unreadable_credentials"),
        "refresh-as-access": (f"Bearer {tokens['refresh']}", "", "bad_token"),
        "of-a-disabled-account": (f"Bearer {old['access']}", "", "bad_token"),
    }
    for name, (header, user, reason) in tries.items():
        answer = Caller(app, header).get(ORDERS, headers={"X-Request-ID": name})
        assert answer.status_code == 401
        assert denied(log_dir, name) == [(user, reason, "127.0.0.1")], name
    for name, path, sent, reason in (
        ("log-in", LOGIN, {"username": "bob", "password": "wrong password"}, "wrong_password"),
        ("refresh", "/api/v1/refresh/", {"refresh": tokens["access"]}, "bad_refresh_token"),
        ("log-out", "/api/v1/logout/", {"refresh": "x"}, "bad_refresh_token"),
    ):
        assert anonymous.post(path, sent, headers={"X-Request-ID": name}).status_code == 401
        assert [(reason, "127.0.0.1")] == [found[1:] for found in denied(log_dir, name)]
    elsewhere = {"REMOTE_ADDR": "198.51.100.7"}
    app.test_client().get(ORDERS, headers={"X-Request-ID": "elsewhere"}, environ_overrides=elsewhere)
    assert denied(log_dir, "elsewhere") == [("", "no_credentials", "198.51.100.7")]


def test_lo03_what_is_for_admins_only_is_logged(app: Flask, alice: Caller, log_dir: Path) -> None:
    """The role check; further refusals are tested where they are made."""
    for number, (method, path) in enumerate(
        [("GET", USERS), ("POST", USERS), ("POST", path_of(alice.order(), "restore"))]
    ):
        name = f"not-an-admin-{number}"
        assert alice(method, path, headers={"X-Request-ID": name}).status_code == 403
        assert denied(log_dir, name) == [("alice", "not_an_admin", "127.0.0.1")]
    Visitor(app).log_in("alice")
    assert [entry["user"] for entry in lines(log_dir) if entry.get("reason") == "not_an_admin"] == [
        "alice"
    ] * 4


def test_lo03_what_admins_do_is_logged(app: Flask, admin: Caller, alice: Caller, log_dir: Path) -> None:
    """Through the API and through the panel, with who did it and in which request."""
    order = alice.order()
    bob = str(factories.user_id(app, "bob"))
    path = path_of(order)
    done = [
        ("order.status_changed", admin.patch(path, {"status": "confirmed"})),
        ("order.updated", admin.put(path, body(total_price="1"))),
        ("order.deleted", admin.delete(path)),
        ("order.restored", admin.post(path_of(order, "restore"))),
        ("order.created", admin.post(ORDERS, body(user="bob"))),
        ("user.created", admin.post(USERS, {"username": "zoe", "password": "long enough"})),
        ("user.updated", admin.patch(f"{USERS}{bob}/", {"role": "admin"})),
    ]
    panel = Visitor.logged_in(app)
    order_id = order["order_id"]
    seen = hidden(panel.get(f"/admin/users/edit/?id={bob}").text, "seen")
    done += [
        ("order.created", panel.post("/admin/orders/new/", **order_fields(user="alice"))),
        (
            "order.status_changed",
            panel.post("/admin/orders/transition/", id=order_id, version=5, to="cancelled"),
        ),
        ("order.deleted", panel.post("/admin/orders/delete/", id=order_id, version=6)),
        ("order.restored", panel.post("/admin/orders/restore/", id=order_id, version=7)),
        ("user.updated", panel.post("/admin/users/disable/", id=bob, seen=seen)),
    ]
    entries = {entry["request_id"]: entry for entry in lines(log_dir)}
    for event, answer in done:
        assert answer.status_code in {200, 201, 204, 302}, (event, answer.text)
        assert answer.headers["X-Request-ID"] in entries, (event, answer.headers, lines(log_dir))
        entry = entries[answer.headers["X-Request-ID"]]
        assert (entry["event"], entry["user"]) == (event, "admin")
        assert entry["at"].endswith("Z")
        assert {"order_id", "subject", "subject_id", "user_id"} & set(entry) or event.startswith("user.")


@pytest.mark.parametrize(
    "offered",
    [
        *(
            "",
            " ",
            "x" * 129,
            "x" * 10_240,
            "a b",
            "a\nb",
            "a\r\nb",
            "a\n",
            "\x1b[2J",
            "a\u2028b",
            "<script>",
            "a/b",
        ),
        *("\u00e4", "１", "a,b", "a;b", "a'b", 'a"b', "\0"),
    ],
    ids=lambda text: f"{len(text)}-{text[:8]!a}",
)
def test_lo04_a_bad_request_id_is_replaced(app: Flask, alice: Caller, log_dir: Path, offered: str) -> None:
    headers = {"HTTP_X_REQUEST_ID": offered, "HTTP_AUTHORIZATION": alice.authorization or ""}
    answer = app.test_client().post(ORDERS, json=body(), environ_overrides=headers)
    assert answer.status_code == 201
    made = answer.headers["X-Request-ID"]
    assert len(made) == 36
    assert set(made) <= set("0123456789abcdef-")
    assert [entry["request_id"] for entry in lines(log_dir)] == [made]
    events = alice.get(path_of(answer.get_json(), "events")).get_json()
    assert events[0]["request_id"] == made


@pytest.mark.parametrize("offered", ["a", "x" * 128, "A.b_c-9"])
def test_lo04_a_good_one_is_kept(alice: Caller, log_dir: Path, offered: str) -> None:
    answer = alice.post(ORDERS, body(), headers={"X-Request-ID": offered})
    assert answer.headers["X-Request-ID"] == offered
    assert [entry["request_id"] for entry in lines(log_dir)] == [offered]


SECRET = "s3cr3t-in-a-statement"


def fails_in_python(*_: Any, **__: Any) -> Any:
    raise RuntimeError(f"{SECRET} at /srv/orders/orders_app/x.py")


def fails_in_the_database(*_: Any, **__: Any) -> Any:
    return db.session().execute(text("SELECT 's3cr3t-in-a-statement' FROM no_such_table")).all()


@pytest.mark.parametrize("failure", [fails_in_python, fails_in_the_database])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_lo06_a_failure_tells_the_client_nothing_and_the_log_all(
    app: Flask, alice: Caller, said: io.StringIO, monkeypatch: pytest.MonkeyPatch, failure: Any, method: str
) -> None:
    order = alice.order()
    for module, name in (
        (routes, "shown_order"),
        (services, "create_order"),
        (services, "change_order"),
        (services, "delete_order"),
    ):
        monkeypatch.setattr(module, name, failure)
    extra = {"POST": [body()], "PATCH": [{"status": "confirmed"}]}.get(method, [])
    path = ORDERS if method == "POST" else path_of(order)
    answer = alice(
        method, path, *extra, headers={"X-Request-ID": f"failing-{method}", "Cache-Control": "no-cache"}
    )
    # SQLite tells of a missing table as it does of a database that is gone.
    assert answer.status_code in ({500} if failure is fails_in_python else {500, 503})
    problem = answer.get_json()
    assert problem["request_id"] == f"failing-{method}" == answer.headers["X-Request-ID"]
    whole = answer.text + str(answer.headers)
    for told in (
        SECRET,
        "SELECT",
        "no_such_table",
        "Traceback",
        ".py",
        "RuntimeError",
        "sqlalchemy",
        "psycopg",
    ):
        assert told not in whole
    if answer.status_code == 500:
        assert set(problem) == {"type", "title", "status", "detail", "instance", "code", "request_id"}
    entries = [json.loads(line) for line in said.getvalue().splitlines()]
    (entry,) = [found for found in entries if found["request_id"] == f"failing-{method}"]
    assert SECRET in json.dumps(entry)
    assert entry["level"] == "error"
    if answer.status_code == 500:
        assert "Traceback" in entry["exception"]
        assert failure.__name__ in entry["exception"]


def test_lo06_a_failure_of_the_panel_tells_as_little(
    app: Flask, monkeypatch: pytest.MonkeyPatch, said: io.StringIO
) -> None:
    panel = Visitor.logged_in(app)
    monkeypatch.setattr("orders_app.admin.orders.view.services.create_order", fails_in_python)
    answer = panel.post("/admin/orders/new/", **order_fields(user="alice"))
    assert answer.status_code == 500
    for told in (SECRET, "Traceback", ".py", "RuntimeError"):
        assert told not in answer.text
    request_id = answer.headers["X-Request-ID"]
    assert request_id in answer.text
    assert [
        entry for entry in map(json.loads, said.getvalue().splitlines()) if entry["request_id"] == request_id
    ]


def test_lo07_one_line_for_each_change_that_was_committed(
    alice: Caller, admin: Caller, bob: Caller, log_dir: Path
) -> None:
    """By the contract that is general.log; events.log has the status changes of existing orders alone."""
    order = alice.post(ORDERS, body(), headers={"X-Request-ID": "1-created"}).get_json()
    path = path_of(order)

    def ask(
        caller: Caller, method: str, at: str, sent: Any = None, status: int = 200, **headers: str
    ) -> None:
        more = [] if sent is None else [sent]
        answer = caller(method, at, *more, headers={name.replace("_", "-"): v for name, v in headers.items()})
        assert answer.status_code == status, answer.text

    def by(name: str) -> dict[str, Any]:
        return {"X_Request_ID": name}

    stale: dict[str, Any] = {"If_Match": '"stale"'}
    ask(alice, "PATCH", path, {"status": "confirmed"}, **by("2-status"))
    ask(alice, "PATCH", path, {"total_price": "5"}, **by("3-updated"))
    ask(alice, "PATCH", path, {"status": "pending", "total_price": "6"}, **by("4-status"))
    # What changes nothing, is refused, or was done before leaves no line.
    ask(alice, "PATCH", path, {})
    ask(alice, "PATCH", path, {"total_price": "6.00", "status": "pending"})
    for method, sent in (("PUT", body()), ("PATCH", {"status": "confirmed"}), ("DELETE", None)):
        ask(alice, method, path, sent, 412, **stale)
        ask(bob, method, path, sent, 404)
    ask(alice, "PATCH", path, {"status": "completed"}, 409)
    ask(alice, "PATCH", path, {"status": "nope"}, 422)
    ask(alice, "POST", ORDERS, body(total_price="-1"), 422)
    ask(admin, "POST", ORDERS, body(user="nobody"), 422)
    ask(admin, "POST", path_of(order, "restore"), None, 409)
    ask(alice, "DELETE", path, None, 204, **by("5-deleted"))
    ask(alice, "DELETE", path, None, 404)
    ask(admin, "PATCH", path, {"status": "confirmed"}, 409)
    ask(admin, "POST", path_of(order, "restore"), None, 200, **by("6-restored"))
    ask(alice, "POST", ORDERS, body(), 201, Idempotency_Key="k", **by("7-created"))
    ask(alice, "POST", ORDERS, body(), 201, Idempotency_Key="k", **by("replayed"))
    ask(alice, "POST", ORDERS, body(total_price="1"), 422, Idempotency_Key="k")
    general = [entry for entry in lines(log_dir) if entry["event"].startswith("order.")]
    assert [(entry["request_id"], entry["event"]) for entry in general] == [
        ("1-created", "order.created"),
        ("2-status", "order.status_changed"),
        ("3-updated", "order.updated"),
        ("4-status", "order.status_changed"),
        ("5-deleted", "order.deleted"),
        ("6-restored", "order.restored"),
        ("7-created", "order.created"),
    ]
    changes = lines(log_dir, "events.log")
    assert [(entry["request_id"], entry["old_status"], entry["new_status"]) for entry in changes] == [
        ("2-status", "pending", "confirmed"),
        ("4-status", "confirmed", "pending"),
    ]
    for entry in changes:
        assert (entry["event"], entry["user"], entry["order_id"]) == (
            "order.status_changed",
            "alice",
            order["order_id"],
        )
    history = admin.get(path_of(order, "events")).get_json()
    assert [event["request_id"] for event in history] == [entry["request_id"] for entry in general[:6]]


def test_lo07_what_is_rolled_back_leaves_no_line(alice: Caller, log_dir: Path, said: io.StringIO) -> None:
    order = alice.order()
    before = lines(log_dir)

    def breaks(uow: UnitOfWork, events: tuple[Event, ...]) -> None:
        uow.session.flush()
        raise RuntimeError("not to be committed")

    with events_recorded.connected_to(breaks):
        for method, sent in (
            ("PATCH", {"status": "confirmed"}),
            ("PUT", body(total_price="1")),
            ("DELETE", None),
        ):
            more = [] if sent is None else [sent]
            assert alice(method, path_of(order), *more).status_code == 500
        assert alice.post(ORDERS, body()).status_code == 500
    assert lines(log_dir) == before
    assert lines(log_dir, "events.log") == []
    assert alice.orders() == [order]
    assert "not to be committed" in said.getvalue()
