"""The WSGI application that servers and `flask --app wsgi` load."""

import click

from config import Config
from orders_app import create_app

# Commands work without keys.  Whoever loads this file to serve it, `flask run` included, does not get it
# with bad ones: `serve.py` is not the only way to start a server.
_command = click.get_current_context(silent=True)
_config = Config.from_env()
if _command is None or _command.info_name == "run":
    _config.check_serving()

app = create_app(_config)
