"""The first page of the panel, and the way out of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from flask import flash, redirect, session, url_for
from flask_admin import AdminIndexView, expose
from flask_babel import get_timezone, gettext, lazy_gettext
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from orders_app.admin.frame import access
from orders_app.admin.frame.presentation import day, money, short_day
from orders_app.admin.frame.views import PanelView
from orders_app.admin.frame.words import STATUSES
from orders_app.auth.repository import recent_failures
from orders_app.auth.services import sessions
from orders_app.extensions import read_connection, unit_of_work
from orders_app.http.health import failing_parts
from orders_app.orders.counts import count_by_status
from orders_app.orders.domain import LONG_WAITING, MOST_WAITING, Figures, OrderStatus
from orders_app.orders.filters import OrderFilter
from orders_app.orders.queries import list_orders, waiting
from orders_app.orders.sales import QUARTER, by_day
from orders_app.shared.clock import rfc3339, utcnow

NEWEST: Final = 10
DAYS: Final = 30
Day = tuple[datetime, datetime]


class HomeView(PanelView, AdminIndexView):
    """How today is going, and what needs somebody."""

    def __init__(self) -> None:
        super().__init__(name=lazy_gettext("Home"), url=access.PANEL)
        # The panel has its own look; Flask-Admin's 20 MB of scripts and styles are not served.
        self.static_folder = None

    @expose("/")
    def index(self) -> str:
        now = utcnow()
        with read_connection() as connection:
            context = {
                "sales": Sales.read(connection, now),
                "attention": _attention(connection, now),
                "counts": count_by_status(connection),
                "orders": list_orders(connection, OrderFilter(), offset=0, limit=NEWEST),
                "failing": failing_parts(),
            }
        html: str = self.render("panel/home.html", **context)
        return html

    @expose("/logout/", methods=("POST",))
    def logout(self) -> Response:
        actor = access.current_actor()
        assert actor.user_id is not None  # noqa: S101  (sessions belong to accounts)
        with unit_of_work() as uow:
            sessions.close_session(uow, user_id=actor.user_id, family_id=access.family_of_session())
        session.clear()
        flash(gettext("You are logged out."), "success")
        return redirect(url_for("panel_login.index"))


@dataclass(frozen=True, slots=True)
class Sales:
    """The last days, today the last of them, and as much of this day last week as is over of it today."""

    dates: list[date]
    figures: list[dict[OrderStatus, Figures]]
    week_ago: Figures

    @classmethod
    def read(cls, connection: Connection, now: datetime) -> Sales:
        today = now.astimezone(get_timezone()).date()
        dates = [today - timedelta(days=back) for back in reversed(range(DAYS))]
        days = [_day(value) for value in dates]
        begins = _day(today - timedelta(days=7))[0]
        part = begins + (now - days[-1][0]) // QUARTER * QUARTER
        *figures, week_ago = by_day(connection, [*days, (begins, part)])
        return cls(dates, figures, _sold(week_ago))

    @property
    def today(self) -> Figures:
        return _sold(self.figures[-1])

    @property
    def rows(self) -> list[tuple[date, Figures, dict[OrderStatus, Figures]]]:
        """A row a day for the table, the newest first."""
        pairs = zip(self.dates, self.figures, strict=True)
        return [(value, _sold(figures), figures) for value, figures in pairs][::-1]

    def chart(self) -> dict[str, Any]:
        """For the chart: the days and, for each status, how many orders there were on each of them."""
        return {
            "days": [day(value) for value in self.dates],
            "labels": [short_day(value) for value in self.dates],
            "series": [
                {
                    "name": str(STATUSES[status]),
                    "className": f"bars {status}",
                    "data": [figures[status].number for figures in self.figures],
                }
                for status in OrderStatus
            ],
            "revenue": [money(_sold(figures).total_cents) for figures in self.figures],
        }


def _sold(figures: dict[OrderStatus, Figures]) -> Figures:
    """What was sold: all but what was cancelled."""
    counted = [found for status, found in figures.items() if status is not OrderStatus.CANCELLED]
    return Figures(sum(found.number for found in counted), sum(found.total_cents for found in counted))


def _day(value: date) -> Day:
    """From midnight to midnight where the person is; with a change of the clocks it is not 24 hours."""
    zone = get_timezone()
    ends = value + timedelta(days=1)
    midnights = (datetime(when.year, when.month, when.day) for when in (value, ends))  # noqa: DTZ001  (localized here)
    first, second = (zone.localize(midnight).astimezone(UTC) for midnight in midnights)
    return first, second


def _attention(connection: Connection, now: datetime) -> dict[str, Any]:
    before = now - LONG_WAITING
    found = waiting(connection, OrderStatus.PENDING, before, 1, most=MOST_WAITING)
    return {
        "waiting": found,
        "waiting_before": rfc3339(before),
        "most_waiting": MOST_WAITING,
        "failed_log_ins": recent_failures(connection, now),
    }
