"""Use cases with a database session, on both back ends."""
