"""Orders: a REST API for managing orders, with a back office.

`create_app` is all there is to import from here.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from config import Config

if TYPE_CHECKING:
    from flask import Flask


def create_app(config: Config | None = None) -> Flask:
    """The application, wired from its parts; settings come from the environment unless given."""
    config = config or Config.from_env()
    config.make_folders()
    # prometheus_client looks for this once, when it is first imported, which the next line causes.
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(config.prometheus_multiproc_dir))
    from orders_app.composition import compose

    return compose(config)
