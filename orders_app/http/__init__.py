"""Delivery over HTTP: what all endpoints share, whatever they are about."""
