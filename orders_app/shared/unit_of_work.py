"""One change, one commit: record events, write them with the change, then tell who listens."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Self

from sqlalchemy.orm import Session

from orders_app.shared.bulk import are_few
from orders_app.shared.events import Event
from orders_app.shared.round_trips import committed
from orders_app.shared.signals import event_committed, events_recorded, receiver_failed

logger = logging.getLogger(__name__)


class UnitOfWork:
    """The transaction of one use case, and the events that it produced.

        with UnitOfWork(session, request_id=...) as uow:
            services.change_order(uow, ...)

    Leaving the block normally commits; leaving it with an exception rolls back.  Services record
    events and never commit.
    """

    def __init__(self, session: Session, *, request_id: str) -> None:
        self.session = session
        self.request_id = request_id
        self._events: list[Event] = []

    def record(self, event: Event) -> None:
        """Remember that something happened; it becomes history in the same commit."""
        self._events.append(event)

    def __enter__(self) -> Self:
        # What was read before belongs to another transaction, and may be out of date by now.
        self.session.rollback()
        # A reader that becomes a writer half-way fails at once on SQLite, whatever the timeout;
        # asking for the write lock at the start makes it wait its turn instead.
        self.session.connection(execution_options={"begin_immediate": True})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.session.rollback()
            return
        events = tuple(self._events)
        try:
            with committed(self.session, at_once=are_few(events)):
                if events:
                    events_recorded.send(self, session=self.session, events=events)
        except BaseException:
            self.session.rollback()
            raise
        for event in events:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        for receiver in event_committed.receivers_for(self):
            try:
                receiver(self, event=event)
            except Exception as error:
                name = getattr(receiver, "__qualname__", repr(receiver))
                logger.exception("The change is saved, but %s could not be told about it.", name)
                receiver_failed.send(self, event=event, receiver=name, error=error)
