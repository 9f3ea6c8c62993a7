"""What services, schemas and the HTTP layer say, in the language of the page.

They say it in English, to programs and people alike.  A text that is always the same is looked up in the
catalogue as it is; one that names something is recognised by its form.
"""

from __future__ import annotations

import re
from typing import Final

from flask_babel import gettext

from orders_app.admin.frame.words import word


def marked(text: str) -> str:
    """The text itself: marks it for the catalogue, as `make translations` gathers it."""
    return text


ALWAYS_THE_SAME: Final = (
    marked("Must not be empty."),
    marked("Must not be negative."),
    marked("Not a valid amount."),
    marked("Control characters are not allowed."),
    marked("Some characters are not assigned in Unicode."),
    marked("A colon is not allowed: Basic authentication could not carry the name."),
    marked("This name is reserved."),
    marked("There is no such language here."),
    marked("There is no such time zone."),
    marked("Missing data for required field."),
    marked("Too many changes met each other. Nothing was changed; try again."),
    marked("The database has no space left. Reading goes on; try to write again later."),
    marked("The database has too much to do. Try again shortly."),
    marked("The database takes no changes at the moment. Reading goes on; try to write again later."),
    marked("The database did not answer in time. Try again shortly."),
    marked("The database cannot be reached. Try again shortly."),
    marked("Something went wrong here. Name the request id when you report it."),
    marked("There is no such order."),
    marked("The browser (or proxy) sent a request that this server could not understand."),
    marked(
        "The requested URL was not found on the server. If you entered the URL manually please check your "
        "spelling and try again."
    ),
    marked("The method is not allowed for the requested URL."),
    marked("The data value transmitted exceeds the capacity limit."),
    marked("Bad Request"),
    marked("Forbidden"),
    marked("Not Found"),
    marked("Method Not Allowed"),
    marked("Conflict"),
    marked("Request Entity Too Large"),
    marked("Content Too Large"),
    marked("Too Many Requests"),
    marked("Internal Server Error"),
    marked("Service Unavailable"),
)
_FORMS: Final = {
    marked("Longer than %(most)s characters."): r"Longer than (?P<most>\d+) characters\.",
    marked("At most %(places)s decimal places."): r"At most (?P<places>\d+) decimal places\.",
    marked("Must be between %(least)s and %(most)s."): (
        r"Must be between (?P<least>[\d.-]+) and (?P<most>[\d.]+)\."
    ),
    marked("A password has %(least)s to %(most)s characters."): (
        r"A password has (?P<least>\d+) to (?P<most>\d+) characters\."
    ),
    marked("The sum of the lines is more than %(most)s."): (
        r"The sum of the lines is more than (?P<most>[\d.]+)\."
    ),
    marked("The name %(name)s is taken."): r"The name (?P<name>.+) is taken\.",
    marked("An order that is %(status)s cannot become %(to)s."): (
        r"An order that is (?P<status>\w+) cannot become (?P<to>\w+)\."
    ),
    marked("Too many failed log-ins. Please try again in %(seconds)s seconds."): (
        r"Too many failed log-ins\. Please try again in (?P<seconds>\d+) seconds?\."
    ),
}
_COMPILED: Final = [(text, re.compile(form)) for text, form in _FORMS.items()]
_OURS: Final = frozenset({"status", "to"})


def said(text: str) -> str:
    """What was said, in the language of the page; as it is where there is no translation."""
    for form, pattern in _COMPILED:
        if found := pattern.fullmatch(text):
            parts = {name: word(part) if name in _OURS else part for name, part in found.groupdict().items()}
            return gettext(form, **parts)
    return gettext(text) if text else text
