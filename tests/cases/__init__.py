"""Attacks and faults, each test named by the number of its case."""
