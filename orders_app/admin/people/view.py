"""Accounts: who there is, who may log in, and who is an admin."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext, lazy_gettext, ngettext
from werkzeug.datastructures import MultiDict

from orders_app.admin.frame import access
from orders_app.admin.frame.forms import NewUserForm, PasswordForm, UserForm
from orders_app.admin.frame.reading import reading_session
from orders_app.admin.frame.views import MOST_COUNTED, Page, PanelModelView, attempt
from orders_app.admin.people.account_seen import SeenAccount
from orders_app.auth import repository
from orders_app.auth.domain import LONGEST_NAME
from orders_app.auth.models import User
from orders_app.auth.queries import (
    ORDERINGS,
    PeopleFilter,
    PersonRecord,
    count_open_log_ins,
    count_people,
    latest_account_events,
    list_people,
)
from orders_app.auth.services import accounts, password_links, sessions
from orders_app.auth.services.accounts import AccountChanges, account_changes, new_account
from orders_app.extensions import read_connection, unit_of_work
from orders_app.orders.counts import figures_by_owner
from orders_app.shared.clock import utcnow
from orders_app.shared.errors import Conflict, DomainError
from orders_app.shared.identity import Role

NEWEST_EVENTS: Final = 10
_ROLES: Final = {role.value: role for role in Role}
_STATES: Final = {"active": True, "disabled": False}


class UserView(PanelModelView):
    """Accounts.  They are never removed: orders and history name them."""

    column_list = ("username", "role", "is_active", "last_login_at", "orders", "total", "created_at")
    column_labels = {  # noqa: RUF012  (Flask-Admin's own form of configuration)
        "username": lazy_gettext("User"),
        "role": lazy_gettext("Role"),
        "is_active": lazy_gettext("State"),
        "last_login_at": lazy_gettext("Last log-in"),
        "orders": lazy_gettext("Orders"),
        "total": lazy_gettext("Sum of the orders"),
        "created_at": lazy_gettext("Created"),
    }
    column_sortable_list = tuple(ORDERINGS)
    own_filters = ("role", "state")
    missing = lazy_gettext("There is no such user.")
    list_template = "panel/users.html"
    details_template = "panel/user.html"
    create_template = edit_template = "panel/user_form.html"
    can_delete = False
    delete_view = None

    def __init__(self) -> None:
        super().__init__(User, name=lazy_gettext("People"), endpoint="panel_users", url="users")

    def init_search(self) -> bool:
        return True

    def get_pk_value(self, model: User | PersonRecord) -> str:
        return str(model.user_id if isinstance(model, PersonRecord) else model.id)

    def get_list(
        self,
        page: int | None,
        sort_field: str | None,
        sort_desc: bool,
        search: str | None,
        filters: Any,
        page_size: int | None = None,
    ) -> tuple[int, list[PersonRecord]]:
        wanted = PeopleFilter(
            search=(search or "").strip().replace("\0", "")[:LONGEST_NAME],
            role=_ROLES.get(request.args.get("role", "")),
            is_active=_STATES.get(request.args.get("state", "")),
        )
        ordering = str(sort_field) if sort_field in ORDERINGS else "username"
        with read_connection() as connection:

            def read(offset: int, limit: int) -> list[PersonRecord]:
                order = f"-{ordering}" if sort_desc else ordering
                return list_people(connection, wanted, ordering=order, offset=offset, limit=limit)

            total = count_people(connection, wanted, most=MOST_COUNTED)
            counted, found = self.page_of(page, page_size or self.page_size, total, read)
            figures = figures_by_owner(connection, [person.user_id for person in found])
        self._template_args.update(figures=figures, roles=_ROLES, states=_STATES)
        return counted, found

    def get_one(self, id: str) -> User | None:  # noqa: A002  (Flask-Admin's name)
        with reading_session() as reading:
            return repository.get_user(reading, self.id_of(id))

    def create_form(self, obj: Any = None) -> NewUserForm:
        return NewUserForm(request.form if request.method == "POST" else None)

    def edit_form(self, obj: Any = None) -> UserForm:
        sent = request.form if request.method == "POST" else None
        return UserForm(sent, obj=obj, seen=_seen(sent, obj))

    def details_context(self, model: User) -> dict[str, Any]:
        with read_connection() as connection:
            return {
                "seen": SeenAccount.of(model),
                "log_ins": count_open_log_ins(connection, model.id, utcnow()),
                "figures": figures_by_owner(connection, [model.id])[model.id],
                "events": latest_account_events(connection, offset=0, limit=NEWEST_EVENTS, user_id=model.id),
            }

    def meanwhile(self, model: User) -> str | None:
        now = self.get_one(str(model.id))
        return SeenAccount.read(request.form.get("seen")).in_short(now) if now is not None else None

    def create_model(self, form: NewUserForm) -> User:
        account = new_account(form.username.data or "", form.password.data or None, Role(form.role.data))
        with unit_of_work() as uow:
            user = accounts.create_user(uow, actor=access.current_actor(), account=account)
        flash(gettext("The user %(name)s is created.", name=user.username), "success")
        return user

    def update_model(self, form: UserForm, model: User) -> User:
        changes = account_changes(
            username=form.username.data or "", role=Role(form.role.data), is_active=form.is_active.data
        )
        mine = {name: form[name].data for name in ("username", "role", "is_active")}
        user = self._save(form, model, changes, mine)
        flash(gettext("The user %(name)s is saved.", name=user.username), "success")
        return user

    def get_save_return_url(self, model: User, is_created: bool = False) -> str:
        url: str = self.get_url(".details_view", id=self.get_pk_value(model))
        return url

    @expose("/password/", methods=("GET", "POST"))
    def password_view(self) -> Page:
        model = self.asked_for()
        sent = request.form if request.method == "POST" else None
        form = PasswordForm(sent, seen=_seen(sent, model))
        status = 200
        if request.method == "POST":
            changed, status = attempt(
                form,
                lambda: self._save(form, model, account_changes(password=form.password.data or "")),
            )
            if changed is not None:
                flash(gettext("%(name)s has a new password.", name=model.username), "success")
                return redirect(self.get_save_return_url(model))
        return self.render("panel/password_form.html", form=form, model=model), status

    @expose("/link/", methods=("POST",))
    def link_view(self) -> Page:
        """The one answer that shows the link: it is in no message, which would be in the cookie, nor kept."""
        model = self.asked_for()
        try:
            with unit_of_work() as uow:
                token = password_links.make_link(
                    uow, actor=access.current_actor(), user_id=model.id, expected_updated_at=_seen_at()
                )
        except DomainError as error:
            return self.refused(model, error)
        link = {
            "url": url_for("panel_link.index", token=token, _external=True),
            "hours": password_links.LIFETIME // timedelta(hours=1),
            "until": utcnow() + password_links.LIFETIME,
        }
        context = self.details_context(model)
        html: str = self.render(self.details_template, model=model, link=link, **context)
        return html

    @expose("/log-ins/", methods=("POST",))
    def end_log_ins_view(self) -> Page:
        return self.acted(self._end_log_ins)

    @expose("/disable/", methods=("POST",))
    def disable_view(self) -> Page:
        return self.acted(lambda model: self._switch(model, on=False))

    @expose("/enable/", methods=("POST",))
    def enable_view(self) -> Page:
        return self.acted(lambda model: self._switch(model, on=True))

    @staticmethod
    def _end_log_ins(model: User) -> str:
        with unit_of_work() as uow:
            ended = sessions.end_all_sessions(
                uow, actor=access.current_actor(), user_id=model.id, expected_updated_at=_seen_at()
            )
        return ngettext("%(num)d log-in has ended.", "%(num)d log-ins have ended.", ended)

    def _switch(self, model: User, *, on: bool) -> str:
        user = self._change(model, account_changes(is_active=on))
        if on:
            return gettext("%(name)s may log in again.", name=user.username)
        return gettext("%(name)s is disabled and logged out.", name=user.username)

    def _save(
        self, form: UserForm | PasswordForm, model: User, changes: AccountChanges, mine: Any = None
    ) -> User:
        """Save a form; if somebody was faster, the form is about the account as it stands from here on."""
        try:
            return self._change(model, changes)
        except Conflict as error:
            now = self.get_one(str(model.id)) if error.code == "version_mismatch" else None
            if now is not None:
                overtaken = SeenAccount.read(request.form.get("seen")).told(now, mine)
                form.seen.data = str(SeenAccount.of(now))
                self._template_args.update(model=now, overtaken=overtaken)
            raise

    @staticmethod
    def _change(model: User, changes: AccountChanges) -> User:
        """Change an account that still is what the page showed."""
        changes = replace(changes, expected_updated_at=_seen_at())
        with unit_of_work() as uow:
            return accounts.change_user(uow, actor=access.current_actor(), user_id=model.id, changes=changes)


def _seen(sent: MultiDict[str, str] | None, user: User) -> str:
    """For the form: the account as it is shown now; nothing where a page was sent that does not say."""
    return str(SeenAccount.of(user)) if sent is None or "seen" in sent else ""


def _seen_at() -> str:
    """The state of the account on the page whose form or button was sent."""
    return SeenAccount.read(request.form.get("seen")).updated_at
