"""Tests about the code, the documents and the settings."""
