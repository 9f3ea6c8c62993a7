"""What becomes of a body that nobody asked for, because the request was refused before it.

A server that answers and leaves the body lying has to close the connection, and a client that sends its
next request on it finds it closed without a word.  So what is small is read to its end, and with what is
larger the answer says `Connection: close` (RFC 9112, section 9.3).
"""

from __future__ import annotations

import contextlib
from typing import Final

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.wsgi import LimitedStream

MOST_READ_BYTES: Final = 64 * 1024


def finish_reading(app: Flask) -> None:
    """Leave no body unread after any answer, or say that the connection ends with it."""

    @app.after_request
    def finish(response: Response) -> Response:
        length = request.content_length
        if not length and "Transfer-Encoding" not in request.headers:
            return response
        # A body that breaks off, or is too large, ends the connection by itself.
        with contextlib.suppress(HTTPException, OSError):
            stream = request.stream
            if isinstance(stream, LimitedStream):
                if length is not None and length <= MOST_READ_BYTES:
                    stream.exhaust()
                elif stream.tell() == 0:
                    response.headers["Connection"] = "close"
        return response
