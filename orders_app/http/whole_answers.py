"""Answers that are there as a whole are handed to the server as a whole.

Flask wraps every body into an iterator, so that what belongs to it is closed at the end.  The server asks an
iterator for one piece after another, each on its way out; a list it sends at once, in half the time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response, request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_IS_WHOLE: Final = "orders.whole_answer"


class WholeAnswers:
    """Middleware next to the application; what is streamed goes through it as it comes."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer: Any = self._application(environ, start_response)
        if not environ.pop(_IS_WHOLE, False):
            return answer
        try:
            return list(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()


def tell_whole_answers(app: Flask) -> None:
    """Have the application say which of its answers are no streams."""

    @app.after_request
    def tell(response: Response) -> Response:
        request.environ[_IS_WHOLE] = not response.is_streamed
        return response
