"""The service's own check of its history, `flask orders verify`, asked once all is quiet."""

from __future__ import annotations

from tests.server.processes import ServerProcess

COMMAND = ("-m", "flask", "--app", "wsgi", "orders", "verify")


def complaints(server: ServerProcess) -> list[str]:
    """What it has to say against the history that a run has left."""
    done = server.run(*COMMAND)
    return [] if done.returncode == 0 else (done.stdout + done.stderr).splitlines()
