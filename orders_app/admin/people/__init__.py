"""Accounts in the panel."""
