"""An error of the database names the statement, never the values: some of them are hashes."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from orders_app.extensions import db


def test_values_are_not_in_the_text_of_an_error(session: Session) -> None:
    with pytest.raises(DBAPIError) as failed, db.engine.connect() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:hash)"), {"hash": "$argon2id$of-somebody"})
    assert "nowhere" in str(failed.value)
    assert "argon2id" not in str(failed.value)
