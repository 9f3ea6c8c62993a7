"""Links between operations, as OpenAPI writes them: the request that an answer leads to."""

from __future__ import annotations

from typing import Any

Link = dict[str, Any]

TAG = "$response.header.ETag"


def link(operation: str, *, body: dict[str, str] | None = None, **parameters: str) -> Link:
    """A link to the operation of this name.

    The values are runtime expressions of OpenAPI: `$response.body#/order_id`, `$request.path.order_id`.
    """
    leading: Link = {"operationId": operation}
    if parameters:
        leading["parameters"] = parameters
    if body:
        leading["requestBody"] = body
    return leading


def if_match(leading: Link) -> Link:
    """The same link, on the condition that what the answer showed still stands."""
    return {**leading, "parameters": {**leading.get("parameters", {}), "header.If-Match": TAG}}
