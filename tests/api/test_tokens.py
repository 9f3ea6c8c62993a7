"""Tokens that anybody could write."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from flask import Flask

from tests import factories
from tests.callers import ORDERS, USERS, Caller

SOME_ID = "019ab0f2-6f6e-7cc3-9b9e-4f2f3c1d8a55"


class TestTokens:
    """Tokens that anybody could write."""

    @pytest.fixture
    def claims(self, app: Flask) -> dict[str, Any]:
        access = factories.logged_in(app, "alice")["access"]
        read: dict[str, Any] = jwt.decode(access, options={"verify_signature": False})
        return read

    @staticmethod
    def key(app: Flask) -> str:
        return str(app.config["JWT_SECRET_KEY"])

    def status(self, app: Flask, token: str) -> int:
        return Caller(app, f"Bearer {token}").get(ORDERS).status_code

    def test_the_same_claims_signed_again_are_good(self, app: Flask, claims: dict[str, Any]) -> None:
        assert self.status(app, jwt.encode(claims, self.key(app), "HS256")) == 200

    @pytest.mark.parametrize("claim", ["exp", "iat", "nbf", "jti", "sub", "type", "fam", "iss", "aud"])
    def test_no_claim_may_be_missing(self, app: Flask, claims: dict[str, Any], claim: str) -> None:
        del claims[claim]
        assert self.status(app, jwt.encode(claims, self.key(app), "HS256")) == 401

    @pytest.mark.parametrize(
        "changes",
        [
            {"exp": 1},
            {"exp": 10**30},
            {"exp": "tomorrow"},
            {"exp": str(int(time.time()) + 60)},
            {"exp": None},
            {"exp": []},
            {"exp": float("nan")},
            {"nbf": 10**10},
            {"iat": 10**10},
            {"iat": "now"},
            {"iss": "others"},
            {"iss": None},
            {"iss": ["orders"]},
            {"aud": "others"},
            {"aud": []},
            {"aud": None},
            {"type": "refresh"},
            {"type": "Access"},
            {"type": None},
            {"type": ["access"]},
            {"sub": 5},
            {"sub": None},
            {"sub": "alice"},
            {"sub": SOME_ID},
            {"sub": {"a": 1}},
            {"fam": SOME_ID},
            {"fam": None},
            {"fam": 7},
            {"fam": ["x"]},
            {"jti": None},
            {"jti": 5},
            {"jti": "x"},
        ],
        ids=str,
    )
    def test_claims_that_are_not_good(
        self, app: Flask, claims: dict[str, Any], changes: dict[str, Any]
    ) -> None:
        token = signed({**claims, **changes}, self.key(app))
        assert self.status(app, token) == 401

    def test_a_second_too_old_is_too_old(self, app: Flask, claims: dict[str, Any]) -> None:
        claims["exp"] = int((datetime.now(UTC) - timedelta(seconds=1)).timestamp())
        assert self.status(app, jwt.encode(claims, self.key(app), "HS256")) == 401

    @pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
    def test_one_algorithm_only(self, app: Flask, claims: dict[str, Any], algorithm: str) -> None:
        key = self.key(app) * 3
        assert self.status(app, jwt.encode(claims, key, algorithm)) == 401

    @pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "NONE", "", "HS256"])
    def test_no_token_without_a_signature(self, app: Flask, claims: dict[str, Any], algorithm: str) -> None:
        parts = [_part({"alg": algorithm, "typ": "JWT"}), _part(claims), ""]
        assert self.status(app, ".".join(parts)) == 401

    def test_another_key_is_another_issuer(self, app: Flask, claims: dict[str, Any]) -> None:
        for key in (str(app.config["SECRET_KEY"]), "0123456789abcdef" * 4):
            assert self.status(app, jwt.encode(claims, key, "HS256")) == 401

    @pytest.mark.parametrize(
        "header",
        [
            {"kid": "../../dev/null"},
            {"jku": "http://127.0.0.1:1/"},
            {"x5u": "http://127.0.0.1:1/"},
            {"jwk": {"kty": "oct", "k": "AA"}},
        ],
        ids=str,
    )
    def test_what_a_token_says_of_keys_is_not_believed(
        self, app: Flask, claims: dict[str, Any], header: dict[str, Any]
    ) -> None:
        forged = jwt.encode(claims, "0123456789abcdef" * 4, "HS256", headers=header)
        assert self.status(app, forged) == 401

    def test_a_critical_extension_is_not_understood(self, app: Flask, claims: dict[str, Any]) -> None:
        token = jwt.encode(claims, self.key(app), "HS256", headers={"crit": ["exp2"], "exp2": 1})
        assert self.status(app, token) == 401

    def test_a_role_in_a_token_gives_nothing(self, app: Flask, claims: dict[str, Any]) -> None:
        token = jwt.encode({**claims, "role": "admin", "is_admin": True}, self.key(app), "HS256")
        assert Caller(app, f"Bearer {token}").get(USERS).status_code == 403

    def test_a_refresh_token_is_no_access_token(self, app: Flask) -> None:
        assert self.status(app, factories.logged_in(app, "alice")["refresh"]) == 401

    def test_another_persons_log_in_is_not_mine(self, app: Flask, claims: dict[str, Any]) -> None:
        claims["sub"] = str(factories.user_id(app, "admin"))
        assert self.status(app, jwt.encode(claims, self.key(app), "HS256")) == 401

    def test_a_log_in_that_never_was_is_refused(self, app: Flask, claims: dict[str, Any]) -> None:
        claims["fam"] = str(uuid4())
        assert self.status(app, jwt.encode(claims, self.key(app), "HS256")) == 401


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def signed(claims: dict[str, Any], key: str) -> str:
    """Sign what PyJWT would refuse to write."""
    content = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    signature = jwt.get_algorithm_by_name("HS256").sign(content.encode(), key.encode())
    return f"{content}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"
