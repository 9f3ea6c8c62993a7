"""What everything ran on."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from benchmarks.arena import Arena
from benchmarks.load import BENCH_PYTHON, generator
from config import ROOT

OF_THE_SERVICE = ("flask", "granian", "sqlalchemy", "psycopg", "redis", "orjson")
OF_THE_PEERS = (
    *(
        "fastapi",
        "pydantic",
        "sqlalchemy",
        "asyncpg",
        "uvloop",
        "httptools",
        "granian",
        "gunicorn",
    ),
    *("django", "djangorestframework", "djangorestframework-simplejwt", "pyjwt"),
    *("flask", "psycopg", "psycopg-pool", "redis", "hiredis"),
)


def described(arena: Arena) -> dict[str, str]:
    """Machine and versions, in words."""
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {_memory()}",
        "system": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "PostgreSQL": _postgres(arena),
        "Redis": _redis(arena),
        "load generator": _generator(),
        "the service": f"{_commit()}; " + ", ".join(f"{name} {version(name)}" for name in OF_THE_SERVICE),
        "the peers": _peers(),
    }


def _processor() -> str:
    names = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return names[0] if names else platform.machine()


def _memory() -> str:
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{size / 2**30:.0f} GiB"


def _postgres(arena: Arena) -> str:
    return f"{arena.postgres_version()}, its own settings (every commit on the disk)"


def _redis(arena: Arena) -> str:
    return f"{arena.redis_version()}, nothing kept on the disk"


def _generator() -> str:
    if generator() != "wrk":
        return "benchmarks/fallback.py (no wrk on the PATH)"
    return _printed("wrk", "--version").split(" Copyright")[0].replace("[epoll]", "").strip()


def _commit() -> str:
    if shutil.which("git") is None:
        return "unknown commit"
    return "commit " + _printed("git", "rev-parse", "--short", "HEAD").strip()


def _peers() -> str:
    program = (
        "import importlib.metadata as m, sys; print(', '.join(f'{n} {m.version(n)}' for n in sys.argv[1:]))"
    )
    return _printed(str(BENCH_PYTHON), "-c", program, *OF_THE_PEERS).strip()


def _printed(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
