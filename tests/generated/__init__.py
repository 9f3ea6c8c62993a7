"""Requests that nobody wrote down: made up from the OpenAPI document, and from a model of the service."""
