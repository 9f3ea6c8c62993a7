"""The API as clients see it, on both back ends."""
