"""Tokens that anybody could write."""

from __future__ import annotations

import base64
import hmac
import json
import socket
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest
from flask import Flask

from tests import factories
from tests.callers import ORDERS, USERS, Caller
from tests.cases.operations import each

SOME_ID = "019ab0f2-6f6e-7cc3-9b9e-4f2f3c1d8a55"
PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALX2Zt0s0hB1cVd1pXk0b8kW3gkU3m0P
7eYQd1pLkqk2tX3nJq3k1y5a5o9m7m0Q0pYkq8s5r5Xo5j3Q0n2eK7kCAwEAAQ==
-----END PUBLIC KEY-----
"""


@pytest.fixture
def claims(app: Flask) -> dict[str, Any]:
    """What a good token of alice says."""
    access = factories.logged_in(app, "alice")["access"]
    read: dict[str, Any] = jwt.decode(access, options={"verify_signature": False})
    return read


def key(app: Flask) -> str:
    return str(app.config["JWT_SECRET_KEY"])


def status(app: Flask, token: str) -> int:
    """The status for somebody with this token; a refusal says that it is about the token."""
    answer = Caller(app, f"Bearer {token}").get(ORDERS)
    if answer.status_code == 401:
        assert answer.get_json()["code"] == "invalid_token"
        bearer, basic = answer.headers.getlist("WWW-Authenticate")
        assert bearer == 'Bearer realm="orders", error="invalid_token"'
        assert "error" not in basic
    return answer.status_code


def part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def signed(claims: dict[str, Any], with_key: bytes, digest: str = "sha256", **header: Any) -> str:
    """Sign what a library would refuse to write, with whatever key and header."""
    content = f"{part({'alg': 'HS256', 'typ': 'JWT', **header})}.{part(claims)}"
    signature = hmac.new(with_key, content.encode(), digest).digest()
    return f"{content}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def named(claim: str, *values: Any) -> list[dict[str, Any]]:
    """The claim with each of these values."""
    return [{claim: value} for value in values]


def good(app: Flask, claims: dict[str, Any], **header: Any) -> str:
    return signed(claims, key(app).encode(), **header)


def test_an16_the_same_claims_signed_again_are_good(app: Flask, claims: dict[str, Any]) -> None:
    """Or none of the refusals below would mean anything."""
    assert status(app, good(app, claims)) == 200
    assert status(app, jwt.encode(claims, key(app), "HS256")) == 200


@each("algorithm", ["none", "None", "nOnE", "NONE", "", " none", None, "HS256", 0, ["none"]])
def test_an16_no_token_without_a_signature(app: Flask, claims: dict[str, Any], algorithm: Any) -> None:
    content = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}"
    for token in (f"{content}.", content, f"{content}.{part('')}", f"{content}.AA"):
        assert status(app, token) == 401
    assert status(app, f"{part({'typ': 'JWT'})}.{part(claims)}.") == 401


@each("algorithm, digest", [("HS384", "sha384"), ("HS512", "sha512")])
def test_an17_one_algorithm_only(app: Flask, claims: dict[str, Any], algorithm: str, digest: str) -> None:
    assert status(app, good(app, claims, digest=digest, alg=algorithm)) == 401
    assert status(app, good(app, claims, alg=algorithm)) == 401
    assert status(app, good(app, claims, digest=digest)) == 401


@each("algorithm", ["RS256", "ES256", "PS256", "EdDSA"])
def test_an17_no_public_key_signs(app: Flask, claims: dict[str, Any], algorithm: str) -> None:
    """There is no key pair: neither a signature by one nor a public text as a secret is worth anything."""
    assert status(app, good(app, claims, alg=algorithm)) == 401
    content = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}"
    assert status(app, f"{content}.{base64.urlsafe_b64encode(b's' * 256).decode()}") == 401
    for public in (PUBLIC_KEY, PUBLIC_KEY.strip(), "", "secret"):
        assert status(app, signed(claims, public.encode())) == 401
        assert status(app, signed(claims, public.encode(), alg=algorithm)) == 401


def test_an17_another_key_is_another_issuer(app: Flask, claims: dict[str, Any]) -> None:
    for other in (str(app.config["SECRET_KEY"]), "0123456789abcdef" * 4, key(app)[:-1], key(app) + " "):
        assert status(app, signed(claims, other.encode())) == 401


def test_an19_the_clock_counts_to_the_second(app: Flask, claims: dict[str, Any]) -> None:
    """There is no leeway, which is within the 30 s that are allowed."""
    now = int(time.time())
    for changes in ({"exp": now - 1}, {"exp": now}, {"nbf": now + 60}, {"iat": now + 60}, {"nbf": 10**10}):
        assert status(app, good(app, {**claims, **changes})) == 401
    assert status(app, good(app, {**claims, "exp": now + 30})) == 200


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf", "jti", "sub", "type", "fam", "iss", "aud"])
def test_an20_an22_no_claim_may_be_missing(app: Flask, claims: dict[str, Any], claim: str) -> None:
    del claims[claim]
    assert status(app, good(app, claims)) == 401
    assert status(app, good(app, {**claims, claim: None})) == 401


@each(
    "end",
    [
        *(0, 1, -1, 10**10, 10**30, -(10**30), 1e300, float("nan"), float("inf"), float("-inf")),
        *("tomorrow", str(int(time.time()) + 60), "", None, [], {}, [int(time.time()) + 60], True),
    ],
)
def test_an20_an_end_that_is_none(app: Flask, claims: dict[str, Any], end: Any) -> None:
    assert status(app, good(app, {**claims, "exp": end})) == 401


@each(
    "changes",
    [
        *named("iss", "others", "", None, ["orders"], "Orders", "orders ", 5),
        *named("aud", "others", "orders", "", None, [], ["others"], {}, 5),
    ],
)
def test_an22_from_us_and_for_us(app: Flask, claims: dict[str, Any], changes: dict[str, Any]) -> None:
    assert status(app, good(app, {**claims, **changes})) == 401


@each(
    "changes",
    [
        *named("type", "refresh", "Access", "", None, ["access"], 1),
        *named("sub", 5, None, "alice", SOME_ID, {"a": 1}, "", "\0"),
        *named("fam", SOME_ID, None, 7, ["x"], "x", ""),
        *named("jti", None, 5, "x", []),
        *named("iat", "now", None, 10**30, float("nan"), [], {}),
        *named("nbf", "now", None, 10**30, float("nan"), [], {}),
    ],
)
def test_an20_claims_that_are_not_good(app: Flask, claims: dict[str, Any], changes: dict[str, Any]) -> None:
    assert status(app, good(app, {**claims, **changes})) == 401


@each("payload", [[], "alice", 5, None, True, {}, [{}]])
def test_an20_what_says_nothing_is_nothing(app: Flask, payload: Any) -> None:
    assert status(app, good(app, payload)) == 401


OPENED: list[str] = []
"""Files that Python opened while `watching` was on."""
WATCHING: list[bool] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if WATCHING and event in {"open", "os.open"}:
        OPENED.append(str(arguments[0]))


sys.addaudithook(_audit)


def test_an23_what_a_token_says_of_keys_is_not_believed(
    app: Flask, claims: dict[str, Any], tmp_path: Path
) -> None:
    """Neither a file nor an address that it names is looked at, whoever signed it."""
    attackers = b"0123456789abcdef" * 4
    (tmp_path / "key").write_bytes(attackers)
    octets = base64.urlsafe_b64encode(attackers).decode().rstrip("=")
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.setblocking(False)
        url = f"http://127.0.0.1:{trap.getsockname()[1]}/keys"
        named = str(tmp_path / "key")
        headers: list[dict[str, Any]] = [
            {"kid": named},
            {"kid": f"../../../../../..{named}"},
            {"kid": "../../x"},
            {"kid": "../../dev/null"},
            {"kid": "x' UNION SELECT '0123456789abcdef"},
            {"kid": 5},
            {"jku": url},
            {"x5u": url},
            {"jku": url, "x5u": url, "kid": "1"},
            {"jwk": {"kty": "oct", "k": octets, "alg": "HS256"}},
            {"x5c": [octets]},
        ]
        OPENED.clear()
        WATCHING.append(True)
        for header in headers:
            assert status(app, signed(claims, attackers, **header)) == 401, header
            assert status(app, signed(claims, b"", **header)) == 401, header
            assert status(app, good(app, claims, **header)) in {200, 401}, header
        WATCHING.clear()
        with pytest.raises(BlockingIOError):
            trap.accept()
    assert [path for path in OPENED if named in path or "dev/null" in path or path.endswith("/x")] == []


@each("critical", [["exp"], ["exp2"], [], "exp", None, [5]])
def test_an23_a_critical_extension_is_not_understood(
    app: Flask, claims: dict[str, Any], critical: Any
) -> None:
    assert status(app, good(app, claims, crit=critical, exp2=1)) == 401


def test_an29_a_refresh_token_is_no_access_token(app: Flask) -> None:
    assert status(app, factories.logged_in(app, "alice")["refresh"]) == 401


def test_az13_the_role_is_the_databases(app: Flask, claims: dict[str, Any], admin: Caller) -> None:
    """Whatever a token claims, with the right signature even: it was signed before a change, say."""
    for role in ({"role": "admin"}, {"is_admin": True, "roles": ["admin"], "scope": "admin"}):
        token = good(app, {**claims, **role})
        assert status(app, token) == 200
        assert Caller(app, f"Bearer {token}").get(USERS).status_code == 403
    token = good(app, {**claims, "role": "user"})
    admin.patch(f"{USERS}{factories.user_id(app, 'alice')}/", {"role": "admin"})
    assert Caller(app, f"Bearer {token}").get(USERS).status_code == 200
    admin.patch(f"{USERS}{factories.user_id(app, 'alice')}/", {"role": "user"})
    assert Caller(app, f"Bearer {token}").get(USERS).status_code == 403


def test_az13_another_persons_log_in_is_not_mine(app: Flask, claims: dict[str, Any]) -> None:
    claims["sub"] = str(factories.user_id(app, "admin"))
    assert status(app, good(app, claims)) == 401
    assert status(app, good(app, {**claims, "fam": str(uuid4())})) == 401
