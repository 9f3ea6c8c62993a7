"""The application with the bug that `PLANTED_BUG` names; loaded by the worker processes of `launcher.py`."""

from __future__ import annotations

import os

from orders_app import create_app
from tests.consistency.planted import plant

plant(os.environ["PLANTED_BUG"])
app = create_app()
