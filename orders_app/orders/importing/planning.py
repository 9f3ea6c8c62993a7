"""All that comes before writing: the input is read and held against what is here already."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy.orm import Session

from orders_app.orders.domain import Owner
from orders_app.orders.importing.checking import find_owners, mark_known, refuse_the_rest
from orders_app.orders.importing.input_files import InputFile
from orders_app.orders.importing.reading import Reader

Looking = Callable[[], AbstractContextManager[Session]]
"""Gives a session to look at what is here; nothing is changed by it."""


def read_all(reader: Reader, files: list[InputFile], advance: Callable[[int], object]) -> None:
    """Put down what stands in these files.  Raises `ImportFailed`."""
    for file in files:
        reader.read(file, advance)
    reader.spool.finish_reading()


def check_all(reader: Reader, looking: Looking) -> dict[str, Owner]:
    """Find what is here already, and refuse what cannot come in; the owners who have an account."""
    register, spool = reader.register, reader.spool
    with looking() as session:
        mark_known(session, register, spool)
        names = {entry.heading.user for entry in register.entries if entry.heading and not entry.known}
        owners = find_owners(session, names)
    refuse_the_rest(register, spool, reader.options, owners)
    return owners
