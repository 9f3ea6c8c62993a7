"""`serve.py` with another application: the one of `planted_wsgi.py`, which has a bug.

PLANTED_BUG=no-lock python -m tests.consistency.launcher
"""

from __future__ import annotations

import sys

import serve

if __name__ == "__main__":
    sys.exit(serve.main("tests.consistency.planted_wsgi:app"))
