"""One change, one commit: record events, write them with the change, then tell who listens."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from orders_app.shared.events import Event
from orders_app.shared.inserts import Insert, are_one_statement, run_inserts
from orders_app.shared.round_trips import commit_with
from orders_app.shared.signals import event_committed, events_recorded, receiver_failed

logger = logging.getLogger(__name__)


class UnitOfWork:
    """The transaction of one use case, and the events that it produced.

        with unit_of_work() as uow:
            services.change_order(uow, ...)

    Leaving the block normally commits; leaving it with an exception rolls back.  Services record
    events and never commit.  `for_one_statement` gives a connection without a transaction.
    """

    def __init__(
        self,
        session: Session,
        *,
        request_id: str,
        for_one_statement: Callable[[], AbstractContextManager[Connection]],
    ) -> None:
        self._session = session
        self.request_id = request_id
        self._for_one_statement = for_one_statement
        self._events: list[Event] = []
        self._inserts: list[Insert] = []

    @property
    def session(self) -> Session:
        """The session of the transaction; what was to be inserted is written before anybody has it."""
        if self._inserts:
            inserts, self._inserts = self._inserts, []
            self._session.flush()
            run_inserts(self._session.connection(), inserts)
        return self._session

    def record(self, event: Event) -> None:
        """Remember that something happened; it becomes history in the same commit."""
        self._events.append(event)

    def insert(self, *inserts: Insert) -> None:
        """Write these rows with the commit, in this order, or before that when the session is asked for.

        That raises SQLAlchemy's `IntegrityError`.
        """
        self._inserts.extend(inserts)

    def __enter__(self) -> Self:
        # What was read before belongs to another transaction, and may be out of date by now.
        self._session.rollback()
        if self._session.get_bind().dialect.name == "sqlite":
            # A reader that becomes a writer half-way fails at once, whatever the timeout; asking for the
            # write lock at the start makes it wait its turn instead.
            self._session.connection(execution_options={"begin_immediate": True})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._session.rollback()
            return
        events = tuple(self._events)
        try:
            if events:
                events_recorded.send(self, events=events)
            self._commit()
        except BaseException:
            self._session.rollback()
            raise
        for event in events:
            self._tell(event)

    def _commit(self) -> None:
        session = self._session
        session.flush()
        nothing_else = not session.in_transaction()
        if nothing_else and are_one_statement(session.get_bind().dialect, self._inserts):
            # It needs no transaction around it, and so no BEGIN and no COMMIT.
            with self._for_one_statement() as connection:
                run_inserts(connection, self._inserts)
        else:
            commit_with(session, self._inserts)

    def _tell(self, event: Event) -> None:
        for receiver in event_committed.receivers_for(self):
            try:
                receiver(self, event=event)
            except Exception as error:
                name = getattr(receiver, "__qualname__", repr(receiver))
                logger.exception("The change is saved, but %s could not be told about it.", name)
                receiver_failed.send(self, event=event, receiver=name, error=error)
