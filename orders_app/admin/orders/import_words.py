"""What the import says, in the words of the panel: it speaks to the command line and names its options.

A reason to refuse a row may consist of several sentences, each after the name of a column or a key, so
sentences are looked for within it.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from flask_babel import gettext

from orders_app.admin.frame.messages import ALWAYS_THE_SAME, marked

_OF_ROWS: Final = (
    (
        r"Must not be negative; --negative-quantity \w+ takes it without its sign\.",
        marked("Must not be negative."),
    ),
    (
        r"There is no user (?P<name>'.*?'|\".*?\"); --create-users makes those who are missing\.",
        marked("There is no user %(name)s."),
    ),
    (
        r"Nobody is named as the owner; --user NAME says who it is where the input does not\.",
        marked("Nobody is named as the owner."),
    ),
    (
        r"Not a date that can be read without guessing; write it like [\d: -]+, or .* --created-format\.",
        marked("Not a date that can be read without guessing. Say how dates are written."),
    ),
    (r"Not a date of the form (?P<form>'.*?'|\".*?\")\.", marked("Not a date of the form %(form)s.")),
    (r"Must be one of: (?P<names>[a-z, ]+)\.", marked("Must be one of: %(names)s.")),
    (
        r"Must be between (?P<least>[\d.-]+) and (?P<most>[\d.]+)\.",
        marked("Must be between %(least)s and %(most)s."),
    ),
    (r"Longer than (?P<most>\d+) characters\.", marked("Longer than %(most)s characters.")),
    (r"At most (?P<places>\d+) decimal places\.", marked("At most %(places)s decimal places.")),
    (r"An order has at most (?P<most>\d+) lines\.", marked("An order has at most %(most)s lines.")),
    (r"Between (?P<least>\d+) and (?P<most>\d+) lines\.", marked("Between %(least)s and %(most)s lines.")),
    (
        r"The sum of the lines is more than (?P<most>[\d.]+)\.",
        marked("The sum of the lines is more than %(most)s."),
    ),
    (
        r"(?P<found>\d+) cells where the header has (?P<wanted>\d+)\.",
        marked("%(found)s cells where the header has %(wanted)s."),
    ),
    (
        r"Another order of the input has the reference (?P<reference>'.*?'|\".*?\") from .*? as well\.",
        marked("Another order of the file has the number %(reference)s as well."),
    ),
    (
        r"This line of the export stands in the input twice\.",
        marked("This line of the export stands in the file twice."),
    ),
    (r"Not a valid integer\.", marked("Not a valid integer.")),
    (r"Not a valid string\.", marked("Not a valid string.")),
    (r"Not a valid boolean\.", marked("Not a valid boolean.")),
    (r"Not a JSON object\.", marked("Not a JSON object.")),
    (r"Unknown field\.", marked("Unknown field.")),
    (
        r"The row cannot be read: field larger than field limit \(\d+\)\.",
        marked("The row cannot be read: a cell is too long."),
    ),
)
_OF_FILES: Final = (
    (r"(?P<file>.*) is empty(?:: there is no header line)?\.", marked("%(file)s is empty.")),
    (
        r"(?P<file>.*) is a ZIP file or a workbook; save it as CSV\.",
        marked("%(file)s is a ZIP file or a workbook. Save it as CSV, then choose that file."),
    ),
    (
        r"(?P<file>.*) is no text\.  If it is UTF-16, .*",
        marked("%(file)s is no text file. Choose a CSV or JSON Lines file."),
    ),
    (
        r"(?P<file>.*) is a JSON array; JSON Lines has one order a line and no brackets\.",
        marked("%(file)s is a JSON array. JSON Lines has one order a line, without brackets around them."),
    ),
    (
        r"(?P<file>.*) is not (?P<encoding>[\w.-]+) \(.*, after line (?P<line>\d+)\)\.  Name its .*",
        marked(
            "%(file)s is not %(encoding)s: there is a sign after line %(line)s that cannot be read. "
            "Choose its encoding under “More options”."
        ),
    ),
    (
        r"(?P<file>.*) has more than one column (?P<name>'.*?'|\".*?\"); rename all but one\.",
        marked("%(file)s has more than one column %(name)s. Rename all but one."),
    ),
    (
        r"(?P<file>.*), line (?P<line>\d+): .*  Is a quotation mark not closed\?",
        marked("%(file)s cannot be read from line %(line)s on. Is a quotation mark not closed?"),
    ),
    (
        r"(?P<file>.*), line (?P<line>\d+): a line of \d+ characters is no order\.",
        marked("%(file)s, line %(line)s: the line is too long for an order."),
    ),
    (
        r"(?P<file>.*) has (?P<found>\d+) columns; more than (?P<most>\d+) are no table\.",
        marked("%(file)s has %(found)s columns. More than %(most)s are not taken for a table."),
    ),
    (
        r"The header of (?P<file>.*) cannot be read: .*",
        marked("The first line of %(file)s cannot be read. It has to hold the names of the columns."),
    ),
    (
        r"There are more than (?P<most>\d+) orders; bring them in in parts\.",
        marked("There are more than %(most)s orders. Split the file, or import it on the command line."),
    ),
)
_OF_OPTIONS: Final = (
    (r"There is no time zone .*; write it like Europe/London\.", marked("There is no such time zone.")),
    (r"(?P<text>'.*?'|\".*?\"): write it like C=cancelled\.", marked("%(text)s: write it like C=cancelled.")),
)
_SENTENCES: Final = [
    *((re.compile(pattern), text) for pattern, text in (*_OF_ROWS, *_OF_OPTIONS)),
    *((re.compile(re.escape(text)), text) for text in ALWAYS_THE_SAME if text.endswith(".")),
]
_PROBLEMS: Final = [(re.compile(pattern, re.DOTALL), text) for pattern, text in _OF_FILES]
_LONGEST: Final = 2_000


def reason_in_words(text: str) -> str:
    """Why a row is refused, or an option, in the language of the page."""
    if len(text) > _LONGEST:
        return text
    for pattern, form in _SENTENCES:
        text = pattern.sub(partial(_in_words, form), text)
    return text


def _in_words(form: str, found: re.Match[str]) -> str:
    return str(gettext(form, **found.groupdict()))


def problem_in_words(text: str) -> str:
    """Why a file cannot be read, likewise."""
    for pattern, form in _PROBLEMS:
        if found := pattern.fullmatch(text):
            return _in_words(form, found)
    return text
