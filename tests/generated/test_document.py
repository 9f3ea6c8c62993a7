"""Schemathesis against the running server: every phase and every check, for each role on each back end.

`docs/testing.md` says how to run it for longer, and how to repeat a failure.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from config import ROOT
from tests.callers import basic
from tests.generated.reached import OWN_ORDERS, USER, USERS, Call, succeeded_since, successes
from tests.server.processes import ServerProcess

EXAMPLES = int(os.environ.get("GENERATED_EXAMPLES", "6"))
SEED = os.environ.get("GENERATED_SEED", "20261125")
SECONDS = 600 + 60 * EXAMPLES

pytestmark = [pytest.mark.server, pytest.mark.timeout(SECONDS)]

MUST_SUCCEED: dict[str, set[Call]] = {
    "anonymous": {("POST", "/api/v1/register/")},
    "user": {*OWN_ORDERS, ("GET", f"{USERS}me/"), ("POST", "/api/v1/register/")},
    "admin": {
        *OWN_ORDERS,
        ("GET", f"{USERS}me/"),
        ("GET", USERS),
        ("POST", USERS),
        ("GET", USER),
        ("PATCH", USER),
    },
}
"""What a run must get through at least once: with everything refused it would pass, and prove nothing."""
PUBLIC = {f"/api/v1/{name}/" for name in ("login", "refresh", "logout", "register")}


@pytest.mark.parametrize("role", ["anonymous", "user", "admin"])
def test_made_up_requests(server: ServerProcess, role: str, tmp_path: Path) -> None:
    credentials = account(server, role)
    before = successes(server)
    done = schemathesis(server, credentials, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Seed: {SEED}" in done.stdout
    succeeded = succeeded_since(server, before)
    assert MUST_SUCCEED[role] <= succeeded
    if role == "anonymous":
        protected = {call for call in succeeded if call[1].startswith("/api/") and call[0] != "OPTIONS"}
        assert {path for _, path in protected} <= PUBLIC
    else:
        assert server.request("GET", f"{USERS}me/", auth=credentials).json()["role"] == role


def account(server: ServerProcess, role: str) -> str | None:
    """Credentials of a new account: Basic for the admin, Bearer for the user, nothing for nobody."""
    if role == "anonymous":
        return None
    name, password = f"{role} {uuid4().hex[:8]}", "made-up-password-1"
    options = ["--admin"] if role == "admin" else []
    command = ["-m", "flask", "--app", "wsgi", "users", "create", name, "--password", password, *options]
    made = server.run(*command)
    assert made.returncode == 0, made.stderr
    if role == "admin":
        return basic(name, password)
    tokens = server.request("POST", "/api/v1/login/", {"username": name, "password": password}).json()
    return f"Bearer {tokens['access']}"


def schemathesis(
    server: ServerProcess, credentials: str | None, folder: Path
) -> subprocess.CompletedProcess[str]:
    """One run of the tool, with the project's own settings, as anybody would start it."""
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        f"--config-file={ROOT / 'schemathesis.toml'}",
        "--no-color",
        "run",
        f"--url=http://127.0.0.1:{server.port}",
        f"--max-examples={EXAMPLES}",
        f"--seed={SEED}",
        # Slow is what it may be on a machine that has more to do.
        "--suppress-health-check=all",
        "--request-timeout=60",
    ]
    if credentials is not None:
        command.append(f"--header=Authorization: {credentials}")
    return subprocess.run(
        [*command, f"http://127.0.0.1:{server.port}/openapi.json"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
