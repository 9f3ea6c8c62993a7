"""Words that are values in the database, as people read them."""

from __future__ import annotations

from flask_babel import lazy_gettext

STATUSES = {
    "pending": lazy_gettext("pending"),
    "confirmed": lazy_gettext("confirmed"),
    "completed": lazy_gettext("completed"),
    "cancelled": lazy_gettext("cancelled"),
    "deleted": lazy_gettext("deleted"),
}
STATES = {"active": lazy_gettext("active"), "disabled": lazy_gettext("disabled")}
ROLES = {"user": lazy_gettext("user"), "admin": lazy_gettext("admin")}
PASSWORDS = {"none": lazy_gettext("none"), "set": lazy_gettext("set")}
MOVES = {
    "confirmed": lazy_gettext("Confirm"),
    "completed": lazy_gettext("Complete"),
    "cancelled": lazy_gettext("Cancel the order"),
}
"""What the buttons say that move an order on, by the status that it gets."""
EVENTS = {
    "order.created": lazy_gettext("Order created"),
    "order.updated": lazy_gettext("Order changed"),
    "order.status_changed": lazy_gettext("Status changed"),
    "order.deleted": lazy_gettext("Order deleted"),
    "order.restored": lazy_gettext("Order restored"),
    "user.created": lazy_gettext("Account made"),
    "user.updated": lazy_gettext("Account changed"),
    "user.logged_in": lazy_gettext("Logged in"),
    "user.logged_out": lazy_gettext("Logged out"),
    "user.refresh_token_reused": lazy_gettext("Refresh token used again: the log-in has ended"),
    "user.sessions_ended": lazy_gettext("Log-ins ended"),
    "user.password_link_made": lazy_gettext("One-time link made"),
    "user.password_link_used": lazy_gettext("Password set by a one-time link"),
}
FIELDS = {
    "user": lazy_gettext("Owner"),
    "status": lazy_gettext("Status"),
    "total_price": lazy_gettext("Total"),
    "is_deleted": lazy_gettext("Deleted"),
    "products": lazy_gettext("Lines"),
    "username": lazy_gettext("User name"),
    "role": lazy_gettext("Role"),
    "is_active": lazy_gettext("May log in"),
    "password": lazy_gettext("Password"),
    "sessions": lazy_gettext("Open log-ins"),
}


def word(value: str) -> str:
    """The word for a value, whichever of these it is; the value itself where there is none."""
    for words in (STATUSES, STATES, ROLES, PASSWORDS, EVENTS):
        if value in words:
            return str(words[value])
    return value
