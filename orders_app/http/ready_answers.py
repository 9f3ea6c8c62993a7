"""Answers that are given again without asking the framework: finished once, kept, checked each time.

An answer goes through the whole application once.  Whoever made it may say how to find out that it still
holds (`keep_ready`); then its status, headers and body are kept as they were sent.  The next request that is
the same in all that an answer depends on gets them again if that check says so, and goes the whole way if
not.  So nothing is done twice in two places: who may see what, what the headers say and what the body holds
was decided by the application, and the check is all that is left to ask.

New in each answer are its request id and its place in the metrics.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from cachetools import LRUCache

from orders_app.http.metrics import count_answer
from orders_app.shared.correlation import begin

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

KEPT_BYTES: Final = 4 * 1024 * 1024
"""What the answers of one process may take in memory."""

LARGEST_BYTES: Final = KEPT_BYTES // 8
_OVERHEAD_BYTES: Final = 4096
"""About what an answer takes beyond its body: headers, key, and what the check remembers."""

_SHARED_FIELDS: Final = 64

_OFFER: Final = "orders.ready_answer"
_REQUEST_ID: Final = "X-Request-ID"
_DEPENDS_ON: Final = (
    "wsgi.url_scheme",
    "REMOTE_ADDR",
    "HTTP_HOST",
    "SCRIPT_NAME",
    "PATH_INFO",
    "QUERY_STRING",
    "HTTP_IF_NONE_MATCH",
    "HTTP_AUTHORIZATION",
)


@dataclass(frozen=True, slots=True)
class Offer:
    """That the answer under way may be given again."""

    still_holds: Callable[[], bool]
    endpoint: str
    """What it is counted under in the metrics."""
    headers: dict[str, str]
    """What is said in another way when it is given again."""
    seconds: float


@dataclass(frozen=True, slots=True)
class _Ready:
    status: str
    code: int
    headers: list[tuple[str, str]]
    body: list[bytes]
    offer: Offer
    until: float


def keep_ready(environ: WSGIEnvironment, offer: Offer) -> None:
    """Let the answer to this request be given again, as it is, as long as the check says that it holds."""
    environ[_OFFER] = offer


class ReadyAnswers:
    """Middleware that gives answers again.  It stands where the client's address is known already."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._secret = secrets.token_bytes(32)
        self._kept: LRUCache[bytes, _Ready] = LRUCache(KEPT_BYTES, getsizeof=_size)
        self._fields: LRUCache[tuple[str, str], tuple[str, str]] = LRUCache(_SHARED_FIELDS)
        self._lock = Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        key = self._key(environ)
        if key is None:
            return self._application(environ, start_response)
        began = time.perf_counter()
        with self._lock:
            ready = self._kept.get(key)
        if ready is None:
            return self._finish(key, environ, start_response)
        request_id = begin(environ.get("HTTP_X_REQUEST_ID"), address=environ.get("REMOTE_ADDR", ""))
        if time.monotonic() > ready.until or not ready.offer.still_holds():
            with self._lock:
                self._kept.pop(key, None)
            return self._finish(key, environ, start_response)
        start_response(ready.status, [*ready.headers, (_REQUEST_ID, request_id)])
        count_answer("GET", ready.offer.endpoint, ready.code, time.perf_counter() - began)
        return ready.body

    def _key(self, environ: WSGIEnvironment) -> bytes | None:
        """A digest of all that the answer depends on; None for a request whose answer is never kept.

        Credentials are among it, so it is a MAC under a key that nobody has.
        """
        if environ["REQUEST_METHOD"] != "GET" or "HTTP_AUTHORIZATION" not in environ:
            return None
        if environ.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" in environ:
            return None
        # Its form keeps the values apart whatever stands in them; a path may hold any character.
        said = repr([environ.get(name) for name in _DEPENDS_ON])
        return hashlib.blake2b(said.encode(errors="surrogatepass"), key=self._secret, digest_size=32).digest()

    def _finish(self, key: bytes, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Let the application answer, and keep what it says if it may be said again."""
        started: list[Any] = []

        def note(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            started[:] = [status, headers]
            return start_response(status, headers, *rest)

        answer = self._application(environ, note)
        offer = environ.pop(_OFFER, None)
        if offer is not None:
            answer = self._keep(key, offer, started[0], started[1], answer)
        return answer

    def _keep(
        self, key: bytes, offer: Offer, status: str, headers: list[tuple[str, str]], answer: Any
    ) -> Iterable[bytes]:
        body = list(answer)
        if hasattr(answer, "close"):
            answer.close()
        kept = [field for field in headers if field[0] != _REQUEST_ID and field[0] not in offer.headers]
        kept += offer.headers.items()
        code = int(status[:3])
        until = time.monotonic() + offer.seconds
        with self._lock:
            # Nearly all header fields are the same on all answers: they are kept once.
            shared = [self._fields.setdefault(field, field) for field in kept]
            ready = _Ready(status, code, shared, [b"".join(body)], offer, until)
            if code < 400 and _size(ready) <= LARGEST_BYTES:
                self._kept[key] = ready
        return body


def _size(ready: _Ready) -> int:
    return _OVERHEAD_BYTES + sum(map(len, ready.body))
