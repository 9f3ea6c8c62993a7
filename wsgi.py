"""The WSGI application that servers and `flask --app wsgi` load."""

from orders_app import create_app

app = create_app()
