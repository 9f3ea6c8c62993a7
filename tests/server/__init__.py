"""The production server as processes."""
