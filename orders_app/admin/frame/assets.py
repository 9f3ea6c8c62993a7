"""Where the panel's own files are: their addresses change with what is in them, so browsers may keep them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, request, url_for

_STATIC = Path(__file__).parents[1] / "static"
_ONE_YEAR = 365 * 24 * 3600


class PanelFiles(Blueprint):
    """Serves the files; those that are asked for with their mark never change under that address."""

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        return _ONE_YEAR if request.args.get("v") else super().get_send_file_max_age(filename)


def asset_url(name: str) -> str:
    """The address of a file of the panel, with a mark of its contents."""
    return url_for("panel.static", filename=name, v=_mark(name))


@cache
def _mark(name: str) -> str:
    return hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]
