"""How fast the service is, beside what else a team might have written: `make bench`.

The service and this package run in the project's environment; the peers, and what draws the plots, run in one
of their own (`.venv-bench`), because their requirements must not mix with the service's.
"""
