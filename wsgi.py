"""The WSGI application that servers and `flask --app wsgi` load."""

import click
from flask.cli import ScriptInfo

from config import Config
from orders_app import create_app

# Commands work without keys.  Whoever loads this file to serve it, `flask run` included, does not get it
# with bad ones: `serve.py` is not the only way to start a server.
# Other servers' command lines are click programs too, but not Flask's.
_context = click.get_current_context(silent=True)
_is_command = _context is not None and isinstance(_context.obj, ScriptInfo) and _context.info_name != "run"
_config = Config.from_env()
if not _is_command:
    _config.check_serving()

app = create_app(_config)
if _is_command:
    from orders_app.cli import register as register_commands
    from orders_app.http.ended_processes import leave_no_counters
    from orders_app.migrating import enable_migrations

    leave_no_counters()
    register_commands(app)
    enable_migrations(app)
