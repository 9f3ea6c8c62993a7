"""Accounts: who there is, who may log in, and who is an admin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from orders_app.admin.frame import access
from orders_app.admin.frame.forms import NewUserForm, PasswordForm, UserForm
from orders_app.admin.frame.views import Page, PanelModelView, attempt, page_offset
from orders_app.admin.people.account_seen import SeenAccount
from orders_app.auth import repository
from orders_app.auth.domain import LONGEST_NAME
from orders_app.auth.models import User
from orders_app.auth.services import accounts
from orders_app.auth.services.accounts import AccountChanges, account_changes, new_account
from orders_app.extensions import read_connection, unit_of_work
from orders_app.shared.errors import Conflict
from orders_app.shared.identity import Role


class UserView(PanelModelView):
    """Accounts.  They are never removed: orders and history name them."""

    column_list = ("username", "role", "is_active", "created_at")
    column_labels = {  # noqa: RUF012  (Flask-Admin's own form of configuration)
        "username": lazy_gettext("User"),
        "role": lazy_gettext("Role"),
        "is_active": lazy_gettext("State"),
        "created_at": lazy_gettext("Created"),
    }
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

    def get_pk_value(self, model: User) -> str:
        return str(model.id)

    def get_list(
        self,
        page: int | None,
        sort_field: str | None,
        sort_desc: bool,
        search: str | None,
        filters: Any,
        page_size: int | None = None,
    ) -> tuple[int, list[User]]:
        size = page_size or self.page_size
        text = (search or "").strip().replace("\0", "")[:LONGEST_NAME]
        with _reading() as session:
            total = repository.count_users(session, search=text)
            offset = page_offset(page, size, total)
            return total, list(repository.list_users(session, offset=offset, limit=size, search=text))

    def get_one(self, id: str) -> User | None:  # noqa: A002  (Flask-Admin's name)
        with _reading() as session:
            return repository.get_user(session, self.id_of(id))

    def create_form(self, obj: Any = None) -> NewUserForm:
        return NewUserForm(request.form if request.method == "POST" else None)

    def edit_form(self, obj: Any = None) -> UserForm:
        sent = request.form if request.method == "POST" else None
        return UserForm(sent, obj=obj, seen=_seen(sent, obj))

    def details_context(self, model: User) -> dict[str, Any]:
        return {"seen": SeenAccount.of(model)}

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

    @expose("/disable/", methods=("POST",))
    def disable_view(self) -> Page:
        return self.acted(lambda model: self._switch(model, on=False))

    @expose("/enable/", methods=("POST",))
    def enable_view(self) -> Page:
        return self.acted(lambda model: self._switch(model, on=True))

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
        seen = SeenAccount.read(request.form.get("seen"))
        changes = replace(changes, expected_updated_at=seen.updated_at)
        with unit_of_work() as uow:
            return accounts.change_user(uow, actor=access.current_actor(), user_id=model.id, changes=changes)


def _seen(sent: MultiDict[str, str] | None, user: User) -> str:
    """For the form: the account as it is shown now; nothing where a page was sent that does not say."""
    return str(SeenAccount.of(user)) if sent is None or "seen" in sent else ""


@contextmanager
def _reading() -> Iterator[Session]:
    """A session apart from that of the unit of work, which must begin its own transaction."""
    with read_connection() as connection, Session(connection, expire_on_commit=False) as session:
        yield session
