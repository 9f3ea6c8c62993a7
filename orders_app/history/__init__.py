"""The history of each order: rows that are only ever added, each sealed to the one before it."""
