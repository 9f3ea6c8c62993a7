"""The panel's forms.

They read and show; the rules are those of the API: what is filled in goes through the same schemas
and services, and their messages come back to the fields they are about.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask_admin.form import SecureForm
from flask_babel import lazy_gettext
from markupsafe import Markup
from wtforms import BooleanField, HiddenField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # its stubs lag behind
from wtforms.validators import EqualTo

from orders_app.admin.frame.languages import LANGUAGES
from orders_app.admin.frame.words import ROLES
from orders_app.auth.domain import LONGEST_PASSWORD, SHORTEST_PASSWORD
from orders_app.shared.errors import DomainError, Invalid
from orders_app.shared.identity import Role

PASSWORD_HINT = lazy_gettext(
    "%(shortest)d to %(longest)d characters.", shortest=SHORTEST_PASSWORD, longest=LONGEST_PASSWORD
)
# WTForms takes plain strings; its type stubs are a version behind.
_ROLES: Any = [SelectChoice(role.value, ROLES[role.value]) for role in Role]
_LANGUAGES: Any = [
    SelectChoice("", lazy_gettext("as my browser says")),
    *(SelectChoice(code, name) for code, name in LANGUAGES.items()),
]
_NEW_PASSWORD = {"autocomplete": "new-password", "required": True}
ZONES = "zones"
"""The id of the list that the field for a time zone suggests from."""


class PanelForm(SecureForm):
    """A form with a token that only pages of the same session carry; alone it checks just that."""

    class Meta(SecureForm.Meta):
        csrf_time_limit = timedelta(hours=12)

    def refuse(self, error: DomainError) -> None:
        """Show what a service refused: beside the fields that it names, else above the form."""
        messages = error.errors if isinstance(error, Invalid) else {}
        self.show(messages)
        if not messages:
            self.form_errors.append(error.detail)

    def show(self, messages: dict[str, Any]) -> None:
        """Put messages, keyed as schemas and services key them, beside the fields."""
        for name, found in messages.items():
            texts = [str(text) for text in found] if isinstance(found, list) else [str(found)]
            if name in self:
                self[name].errors = [*self[name].errors, *texts]
            else:
                self.form_errors.extend(texts)


def token_field() -> Markup:
    """The hidden field with the token of this session, for forms that are only a button."""
    field: Markup = PanelForm().csrf_token(id=False)
    return field


class LoginForm(PanelForm):
    username = StringField(
        lazy_gettext("User name"), render_kw={"autocomplete": "username", "autofocus": True}
    )
    password = PasswordField(lazy_gettext("Password"), render_kw={"autocomplete": "current-password"})


class NewUserForm(PanelForm):
    username = StringField(lazy_gettext("User name"), render_kw={"autocomplete": "off", "required": True})
    password = PasswordField(
        lazy_gettext("Password"),
        description=lazy_gettext(
            "%(hint)s Left empty, nobody can log in until one is set.", hint=PASSWORD_HINT
        ),
        render_kw={"autocomplete": "new-password"},
    )
    role = SelectField(lazy_gettext("Role"), choices=_ROLES, default=Role.USER.value)


class UserForm(PanelForm):
    seen = HiddenField()
    username = StringField(lazy_gettext("User name"), render_kw={"autocomplete": "off", "required": True})
    role = SelectField(
        lazy_gettext("Role"),
        choices=_ROLES,
        description=lazy_gettext("A change counts at once; nobody has to log in anew."),
    )
    is_active = BooleanField(
        lazy_gettext("May log in"),
        description=lazy_gettext("Switched off, all log-ins of this account end at once."),
    )


class PasswordForm(PanelForm):
    seen = HiddenField()
    password = PasswordField(
        lazy_gettext("New password"),
        description=lazy_gettext("%(hint)s All log-ins of this account end at once.", hint=PASSWORD_HINT),
        render_kw={"autocomplete": "new-password", "required": True},
    )


class TwicePasswordForm(PanelForm):
    """A new password, typed twice because nobody sees what they type."""

    password = PasswordField(lazy_gettext("New password"), description=PASSWORD_HINT, render_kw=_NEW_PASSWORD)
    again = PasswordField(
        lazy_gettext("New password, again"),
        validators=[EqualTo("password", lazy_gettext("The two passwords are not the same."))],
        render_kw=_NEW_PASSWORD,
    )


class OwnPasswordForm(TwicePasswordForm):
    present = PasswordField(
        lazy_gettext("Present password"),
        render_kw={"autocomplete": "current-password", "required": True},
    )


class PreferencesForm(PanelForm):
    locale = SelectField(lazy_gettext("Language"), choices=_LANGUAGES)
    time_zone = StringField(
        lazy_gettext("Time zone"),
        description=lazy_gettext("For example Europe/Moscow. Left empty, it is as your browser says."),
        render_kw={"autocomplete": "off", "list": ZONES},
    )
