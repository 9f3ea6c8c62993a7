"""Numbered pages: `page` and `page_size`, the `X-Pagination` header and `Link: …; rel="next"`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import current_app, request
from marshmallow import Schema, fields

from orders_app.http.fields import WholeNumber
from orders_app.http.parser import InvalidRequest

MOST_PAGES = 2**31 - 1


def page_fields() -> dict[str, Any]:
    """The two query parameters, for schemas that list things."""
    return {
        "page": WholeNumber(
            least=1,
            most=MOST_PAGES,
            metadata={
                "default": 1,
                "description": "Which page, from 1. One past the end is empty.",
            },
        ),
        "page_size": WholeNumber(
            least=1,
            most=1000,
            metadata={
                "description": "How many on a page: 50 by default and at most 200 (both are settings).",
                "maximum": 200,
            },
        ),
    }


class PaginationHeader(Schema):
    """What `X-Pagination` holds, as JSON.  With a cursor: the last two, and `total` with `count=exact`."""

    total = fields.Integer(metadata={"description": "How many there are on all pages."})
    total_pages = fields.Integer()
    page = fields.Integer()
    first_page = fields.Integer()
    last_page = fields.Integer()
    next_page = fields.Integer(allow_none=True)
    previous_page = fields.Integer(allow_none=True)
    page_size = fields.Integer()
    next_cursor = fields.String(allow_none=True)


PAGE_HEADERS: dict[str, Any] = {
    "X-Pagination": {
        "description": "Where this page stands among all.",
        "content": {"application/json": {"schema": PaginationHeader}},
    },
    "Link": {
        "description": 'The next page, as `<…>; rel="next"` (RFC 8288); absent on the last.',
        "schema": {"type": "string"},
    },
}
"""What list answers document of their headers."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page that was asked for."""

    number: int
    size: int

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size

    def is_past(self, total: int) -> bool:
        """Whether nothing can be on it."""
        return self.offset >= total

    def headers(self, total: int) -> dict[str, str]:
        """`X-Pagination`, and `Link` where there is a next page."""
        pages = -(-total // self.size)
        following = self.number + 1 if self.number < pages else None
        previous = min(self.number - 1, pages) if self.number > 1 and pages else None
        described = {
            "total": total,
            "total_pages": pages,
            "page": self.number,
            "first_page": 1,
            "last_page": max(pages, 1),
            "next_page": following,
            "previous_page": previous,
        }
        headers = {"X-Pagination": orjson.dumps(described).decode()}
        if following:
            headers["Link"] = next_link("page", str(following))
        return headers


def next_link(name: str, value: str) -> str:
    """`Link` to the same list from another place on.

    It is relative to the request (RFC 8288, section 3.2), so it holds behind any proxy.
    """
    given = [pair for pair in request.args.items(multi=True) if pair[0] != name and pair[1]]
    return f'<{request.path}?{urlencode([*given, (name, value)])}>; rel="next"'


def page_from(arguments: dict[str, Any]) -> Page:
    """Take `page` and `page_size` out of loaded arguments.

    Raises `InvalidRequest` for a size above the largest that is allowed here.
    """
    number = arguments.pop("page", 1)
    return Page(number, page_size_from(arguments))


def page_size_from(arguments: dict[str, Any]) -> int:
    """Take `page_size` out of loaded arguments, or the default.

    Raises `InvalidRequest` for a size above the largest that is allowed here.
    """
    settings = current_app.config["ORDERS"]
    size: int = arguments.pop("page_size", None) or settings.default_page_size
    if size > settings.largest_page_size:
        message = f"Must be between 1 and {settings.largest_page_size}."
        raise InvalidRequest(
            "The request is not valid; see errors.", errors={"query": {"page_size": [message]}}
        )
    return size
