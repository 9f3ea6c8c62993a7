"""One's own account: language and time zone, the password, the log-ins that are open."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any, Final
from uuid import UUID

from flask import flash, redirect, request, session, url_for
from flask_admin import BaseView, expose
from flask_babel import gettext, lazy_gettext, ngettext
from werkzeug.wrappers import Response

from orders_app.admin.frame import access, languages
from orders_app.admin.frame.forms import OwnPasswordForm, PreferencesForm
from orders_app.admin.frame.reading import reading_session
from orders_app.admin.frame.views import Page, PanelView, attempt
from orders_app.auth.guards import check_password
from orders_app.auth.models import User
from orders_app.auth.queries import open_log_ins
from orders_app.auth.repository import get_user
from orders_app.auth.services import accounts, sessions
from orders_app.auth.services.accounts import account_changes
from orders_app.desk.domain import time_zones
from orders_app.desk.services import set_preferences
from orders_app.extensions import read_connection, unit_of_work
from orders_app.shared.clock import rfc3339, utcnow
from orders_app.shared.errors import Invalid

MOST_LOG_INS: Final = 20


class MeView(PanelView, BaseView):
    """What an admin may do to their own account without another one."""

    def __init__(self) -> None:
        super().__init__(name=lazy_gettext("Your account"), endpoint="panel_me", url="me")

    def is_visible(self) -> bool:
        return False

    @expose("/")
    def index(self) -> Page:
        return self._page()

    @expose("/preferences/", methods=("POST",))
    def preferences_view(self) -> Page:
        form = PreferencesForm(request.form)
        saved, status = attempt(form, lambda: _prefer(form))
        if saved is None:
            return self._page(status, preferences_form=form)
        flash(gettext("Your preferences are saved."), "success")
        return redirect(url_for(".index"))

    @expose("/password/", methods=("POST",))
    def password_view(self) -> Page:
        form = OwnPasswordForm(request.form)
        changed, status = attempt(form, lambda: _change_password(form))
        if changed is None:
            return self._page(status, password_form=form)
        session.clear()
        told = gettext("Your password is changed, and all your log-ins have ended. Log in with the new one.")
        flash(told, "success")
        return redirect(url_for("panel_login.index"))

    @expose("/log-ins/", methods=("POST",))
    def end_others_view(self) -> Response:
        actor, user_id = access.current_actor(), _own_id()
        with unit_of_work() as uow:
            ended = sessions.end_all_sessions(
                uow, actor=actor, user_id=user_id, keep=access.family_of_session()
            )
        told = ngettext("%(num)d other log-in has ended.", "%(num)d other log-ins have ended.", ended)
        flash(told, "success")
        return redirect(url_for(".index"))

    def _page(
        self,
        status: int = 200,
        *,
        preferences_form: PreferencesForm | None = None,
        password_form: OwnPasswordForm | None = None,
    ) -> tuple[str, int]:
        with read_connection() as connection:
            found = open_log_ins(connection, _own_id(), utcnow(), most=MOST_LOG_INS + 1)
        context: dict[str, Any] = {
            "preferences_form": preferences_form or PreferencesForm(obj=access.preferences()),
            "password_form": password_form or OwnPasswordForm(),
            "zones": _suggested_zones(),
            "browser_zone": languages.browser_zone(),
            "log_ins": found[:MOST_LOG_INS],
            "are_more": len(found) > MOST_LOG_INS,
            "this_log_in": access.family_of_session(),
        }
        return self.render("panel/me.html", **context), status


def _own_id() -> UUID:
    user_id = access.current_actor().user_id
    assert user_id is not None  # noqa: S101  (sessions belong to accounts)
    return user_id


def _prefer(form: PreferencesForm) -> bool:
    wanted = replace(
        access.preferences(),
        locale=form.locale.data or None,
        time_zone=(form.time_zone.data or "").strip() or None,
    )
    with unit_of_work() as uow:
        set_preferences(uow, user_id=_own_id(), preferences=wanted, locales=languages.LANGUAGES)
    # What is said of it is said in the language that was just chosen.
    languages.prefer(wanted.locale, wanted.time_zone)
    return True


def _change_password(form: OwnPasswordForm) -> User:
    actor, user_id = access.current_actor(), _own_id()
    # Read before the password is checked: it is this account that it was right for, and no later one.
    with reading_session() as reading:
        user = get_user(reading, user_id)
    if user is None or check_password(user.username, form.present.data or "") is None:
        wrong = gettext("This is not your present password.")
        raise Invalid("The account is not valid.", errors={"present": [wrong]})
    changes = replace(
        account_changes(password=form.password.data or ""), expected_updated_at=rfc3339(user.updated_at)
    )
    with unit_of_work() as uow:
        return accounts.change_user(uow, actor=actor, user_id=user_id, changes=changes)


@cache
def _suggested_zones() -> list[str]:
    """Places; other names are for programs, and good here all the same."""
    return ["UTC", *sorted(name for name in time_zones() if "/" in name and not name.startswith("Etc/"))]
