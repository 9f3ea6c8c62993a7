"""The order, and all that is done with it."""
