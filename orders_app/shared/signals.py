"""Every signal of the project.

Receivers are module-level functions: blinker holds them weakly, so a closure would vanish, and
promises no order among them, so none may depend on another.
"""

from __future__ import annotations

from blinker import Namespace

_signals = Namespace()

events_recorded = _signals.signal(
    "events-recorded",
    doc="""Inside the transaction, right before its commit.

    Sender: the `UnitOfWork`.  Payload: `events` (a non-empty tuple of the events recorded in it, in
    order).  What a receiver writes, with the sender's `insert` or its `session`, becomes part of the same
    commit; what it raises rolls everything back.
    """,
)

event_committed = _signals.signal(
    "event-committed",
    doc="""Once for each event, after the commit succeeded.

    Sender: the `UnitOfWork`.  Payload: `event` (plain values, never an ORM object).  Each receiver is
    guarded: one that fails is logged and counted, stops no other and changes no answer.
    """,
)

receiver_failed = _signals.signal(
    "receiver-failed",
    doc="""A receiver of `event_committed` or of `access_denied` raised.

    Sender: the `UnitOfWork`, or None.  Payload: `receiver` (its qualified name), `error`, and `event` where
    there was one.
    """,
)

access_denied = _signals.signal(
    "access-denied",
    doc="""Somebody was refused: a failed log-in, a bad token, a missing permission.  Sent by `denials.deny`.

    Sender: None.  Payload: `reason` (a stable word), `username` (what was claimed; may be empty),
    `order_id` (what it was about; may be None).  Nothing was changed, so there is no transaction to be
    part of.
    """,
)
