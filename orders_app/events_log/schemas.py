"""The history on the wire."""

from __future__ import annotations

from marshmallow import Schema, fields

from orders_app.http.fields import Moment
from orders_app.orders.domain import OrderStatus
from orders_app.orders.events import OrderEventName

_STATUSES = [status.value for status in OrderStatus]


class OrderEventSchema(Schema):
    """One event of an order."""

    event_id = fields.UUID(required=True)
    sequence = fields.Integer(
        required=True, metadata={"minimum": 1, "description": "1, 2, 3 … without gaps."}
    )
    event = fields.String(required=True, metadata={"enum": [name.value for name in OrderEventName]})
    at = Moment(required=True)
    user = fields.String(required=True, metadata={"description": "Who did it."})
    request_id = fields.String(required=True)
    changes = fields.Dict(
        required=True,
        metadata={"description": "`{field: [before, after]}`; empty on creation."},
    )
    old_status = fields.String(metadata={"enum": _STATUSES, "description": "Where the status changed."})
    new_status = fields.String(metadata={"enum": _STATUSES, "description": "Where the status changed."})
