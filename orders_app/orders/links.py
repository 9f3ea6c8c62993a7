"""Where answers about orders lead: what can be done with an order next."""

from __future__ import annotations

from typing import Final

from orders_app.http.links import Link, if_match, link

_MADE: Final = "$response.body#/order_id"
_NAMED: Final = "$request.path.order_id"


def _reading(order_id: str) -> dict[str, Link]:
    return {
        "Read": link("readOrder", order_id=order_id),
        "ReadHistory": link("readOrderHistory", order_id=order_id),
    }


def _anything(order_id: str) -> dict[str, Link]:
    return {
        **_reading(order_id),
        "Replace": if_match(link("replaceOrder", order_id=order_id)),
        "Change": if_match(link("changeOrder", order_id=order_id)),
        "Delete": if_match(link("deleteOrder", order_id=order_id)),
    }


FROM_NEW_ORDER: Final = _anything(_MADE)
FROM_ORDER: Final = _anything(_NAMED)
FROM_DELETED_ORDER: Final = {**_reading(_NAMED), "Restore": link("restoreOrder", order_id=_NAMED)}
