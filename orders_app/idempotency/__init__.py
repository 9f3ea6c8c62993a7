"""Requests that may be sent again: the same `Idempotency-Key` gets the first answer (docs/decisions/0009)."""
