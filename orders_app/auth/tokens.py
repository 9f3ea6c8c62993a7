"""The text of access and refresh tokens: Flask-JWT-Extended, with every claim required.

A token names a user (`sub`) and the log-in it belongs to (`fam`).  What the user may do is never in
it: role and state are read from the database on each request.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Final
from uuid import UUID

import jwt
from cachetools import LRUCache
from flask import current_app
from flask_jwt_extended import create_access_token, create_refresh_token, decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt.utils import base64url_decode

from orders_app.auth.services.sessions import OpenSession
from orders_app.shared.clock import utcnow

LONGEST_TOKEN: Final = 4096
REMEMBERED_TOKENS: Final = 2048
_REQUIRED = ("exp", "iat", "nbf", "jti", "sub", "type", "fam", "iss", "aud")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a good token says."""

    user_id: UUID
    family_id: UUID
    jti: UUID
    began_at: datetime
    expires_at: datetime


def issue(session: OpenSession) -> dict[str, str]:
    """The pair of tokens for a log-in: `{"refresh", "access"}`."""
    family = {"fam": str(session.family_id)}
    subject = str(session.user_id)
    return {
        "refresh": create_refresh_token(
            subject, additional_claims={**family, "jti": str(session.refresh_jti)}
        ),
        "access": create_access_token(subject, additional_claims=family),
    }


_known: LRUCache[tuple[str, str, str], Claims] = LRUCache(REMEMBERED_TOKENS)
_known_lock = Lock()


def read(text: str, kind: str) -> Claims | None:
    """The claims of a token of this kind (`access` or `refresh`); None unless all of it is good.

    What was found good once stays so until it expires, so its signature is verified once only.
    """
    if len(text) > LONGEST_TOKEN:
        return None
    key = (current_app.config["JWT_SECRET_KEY"], kind, text)
    with _known_lock:
        claims = _known.get(key)
    if claims is not None:
        # A clock that was set back may stand before the token's beginning.
        return claims if claims.began_at <= utcnow() < claims.expires_at else None
    claims = _verified(text, kind)
    if claims is not None:
        with _known_lock:
            _known[key] = claims
    return claims


def _verified(text: str, kind: str) -> Claims | None:
    try:
        claims = decode_token(text)
        # Flask-JWT-Extended fills in what is missing, so presence is looked up in the token itself.
        payload = json.loads(base64url_decode(text.split(".")[1]))
        if claims["type"] != kind or any(claim not in payload for claim in _REQUIRED):
            return None
        if payload["exp"] > _latest_end(kind):
            return None
        return Claims(
            UUID(claims["sub"]),
            UUID(claims["fam"]),
            UUID(claims["jti"]),
            began_at=datetime.fromtimestamp(max(payload["nbf"], payload["iat"]), UTC),
            expires_at=datetime.fromtimestamp(payload["exp"], UTC),
        )
    except (
        jwt.PyJWTError,
        JWTExtendedException,
        ValueError,
        TypeError,
        AttributeError,
        OverflowError,
        OSError,
        RecursionError,
    ):
        return None


def _latest_end(kind: str) -> float:
    """When the last token of this kind that was issued by now ends: none is good for longer."""
    lifetime: timedelta = current_app.config[f"JWT_{kind.upper()}_TOKEN_EXPIRES"]
    return (utcnow() + lifetime).timestamp() + 1


def refresh_lifetime() -> timedelta:
    """How long a refresh token is good for."""
    lifetime: timedelta = current_app.config["JWT_REFRESH_TOKEN_EXPIRES"]
    return lifetime
