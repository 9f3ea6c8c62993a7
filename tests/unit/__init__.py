"""The smallest parts, without an application."""
