"""The service's own check of its history, `flask orders verify`, asked once all is quiet."""

from __future__ import annotations

from tests.server.processes import ServerProcess

COMMAND = ("-m", "flask", "--app", "wsgi", "orders")


def complaints(server: ServerProcess) -> list[str]:
    """What it has to say against the history that a run has left; nothing where it knows no such command."""
    if "verify" not in server.run(*COMMAND, "--help").stdout:
        return []
    done = server.run(*COMMAND, "verify")
    return [] if done.returncode == 0 else (done.stdout + done.stderr).splitlines()
