"""Django REST framework as a careful team writes it: viewset, serializers, related rows fetched along.

Connections persist; tokens are checked by simplejwt, which loads the account.  With `REDIS_URL` whole bodies
are cached, by the same scheme as in `fastapi_app.py`.
"""
