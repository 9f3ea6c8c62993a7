"""The cache of answers: the only place that knows its keys, lifetimes and rules of freshness.

An entry holds the finished bytes of an answer and the version it was made under: of the order it shows,
or of all that the caller sees (`shared/view_versions.py`).  The key names the view (one owner's, or the
admins'), what was asked and nothing else, so entries are replaced in place and their number does not grow
with the changes.  The version was read with the caller's credential, before any of the data: an entry under
another version is a miss, and a reader who was overtaken by a writer can only store what nobody will accept.

A MAC over key and entry keeps out what this service did not write.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import orjson
from flask import Response, current_app, request

from orders_app.auth.guards import current_standing
from orders_app.extensions import cache
from orders_app.http.conditional import unless_known
from orders_app.http.metrics import CACHE_REQUESTS, current_endpoint
from orders_app.http.ready_answers import Offer, keep_ready
from orders_app.orders.records import entity_tag
from orders_app.shared.identity import Actor

_MAC_BYTES = 16
_FORM = b"3\0"
"""The form of an entry; a new one makes a miss of what another release has left under the same key."""
_HIT = "orders; hit"
_HITS = CACHE_REQUESTS.labels("hit")
_MISSES = CACHE_REQUESTS.labels("miss")


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer: a JSON body, the headers that belong to it, and the tag over both."""

    body: bytes
    headers: dict[str, str]
    tag: str

    @classmethod
    def of(cls, body: bytes, headers: dict[str, str] | None = None) -> Self:
        """An answer with its tag.  The headers count: a page may stay while the others change."""
        headers = headers or {}
        return cls(body, headers, entity_tag(body, *(value.encode() for value in headers.values())))


def cached_response(actor: Actor, asked: dict[str, Any], make: Callable[[], Answer]) -> Response:
    """The answer from the cache if it is fresh, else a new one, stored for the next reader.

    `asked` is what was asked for, in plain values, after validation.  `make` may raise; errors are
    not stored, nor is what a HEAD makes.  `Cache-Status` says what happened (RFC 9211).
    """
    if not current_app.config["ORDERS"].cache_enabled:
        return _response(make(), "orders; fwd=bypass")
    key = _key(actor, asked)
    answer = _read(key, actor.view_version)
    if answer is not None:
        _HITS.inc()
        return _ready(_response(answer, _HIT))
    _MISSES.inc()
    answer = make()
    # What a HEAD asks for costs a statement or two; only who wants the body makes an entry of it.
    stored = request.method == "GET" and cache.set(key, _packed(key, actor.view_version, answer))
    return _ready(_response(answer, "orders; fwd=miss; stored" if stored else "orders; fwd=miss"))


def _ready(response: Response) -> Response:
    """The response, to be given again as long as its caller stands where they stood.

    That includes the version of what is shown, which was read before the data: nothing of it has changed.
    """
    standing = current_standing()
    if standing is not None:

        def still_holds() -> bool:
            if not standing.holds():
                return False
            _HITS.inc()
            return True

        seconds: int = current_app.config["CACHE_DEFAULT_TIMEOUT"]
        offer = Offer(still_holds, current_endpoint(), {"Cache-Status": _HIT}, seconds)
        keep_ready(request.environ, offer)
    return response


def _key(actor: Actor, asked: dict[str, Any]) -> str:
    view = "all" if actor.is_admin or actor.user_id is None else actor.user_id.hex
    canonical = orjson.dumps(asked, option=orjson.OPT_SORT_KEYS, default=str)
    return f"{view}:{hashlib.sha256(canonical).hexdigest()}"


def _mac(key: str, content: bytes) -> bytes:
    secret = current_app.secret_key
    secret_bytes = secret.encode() if isinstance(secret, str) else secret or b""
    mac = hashlib.blake2b(key=hashlib.sha256(secret_bytes).digest(), digest_size=_MAC_BYTES)
    mac.update(_FORM + key.encode() + b"\0" + content)
    return mac.digest()


def _packed(key: str, version: str, answer: Answer) -> bytes:
    head = orjson.dumps([version, answer.tag, answer.headers])
    content = head + b"\n" + answer.body
    return _mac(key, content) + content


def _read(key: str, version: str) -> Answer | None:
    """A fresh entry; None for one that is absent, stale, foreign or damaged."""
    entry = cache.get(key)
    if not isinstance(entry, bytes):
        return None
    mac, content = entry[:_MAC_BYTES], entry[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(key, content)):
        return None
    head, _, body = content.partition(b"\n")
    made_under, tag, headers = orjson.loads(head)
    return Answer(body, headers, tag) if made_under == version else None


def _response(answer: Answer, status: str) -> Response:
    response = Response(answer.body, mimetype="application/json")
    response.headers.update(answer.headers)
    response.headers["Cache-Status"] = status
    return unless_known(response, answer.tag)
