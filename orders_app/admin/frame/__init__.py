"""What all pages of the panel stand in: views, forms, languages, how values are written."""

from __future__ import annotations

import sys
from importlib import import_module


def _load_forms_without_pillow() -> None:
    """Flask-Admin loads Pillow wherever it is installed, for images that nobody uploads here.

    It is there for the confirmations alone, which load it when the first one is made: until then a worker
    is three megabytes smaller.
    """
    if "PIL" in sys.modules:
        return
    sys.modules["PIL"] = None  # type: ignore[assignment]  # Python's own way to say that there is none
    try:
        import_module("flask_admin.form")
    finally:
        del sys.modules["PIL"]


_load_forms_without_pillow()
