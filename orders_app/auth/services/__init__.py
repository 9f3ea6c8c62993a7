"""Use cases: `accounts` (who exists) and `sessions` (who is logged in)."""
