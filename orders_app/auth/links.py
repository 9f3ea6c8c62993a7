"""Where answers about accounts and tokens lead."""

from __future__ import annotations

from typing import Final

from orders_app.http.links import Link, link

_SHOWN = {"refresh": "$response.body#/refresh"}
_GIVEN = {"username": "$request.body#/username", "password": "$request.body#/password"}


def _account(user_id: str) -> dict[str, Link]:
    return {"Read": link("readUser", user_id=user_id), "Change": link("changeUser", user_id=user_id)}


FROM_TOKENS: Final = {
    "Refresh": link("refreshTokens", body=_SHOWN),
    "LogOut": link("logOut", body=_SHOWN),
}
FROM_NEW_USER: Final = _account("$response.body#/user_id")
FROM_REGISTRATION: Final = {"LogIn": link("logIn", body=_GIVEN)}
FROM_USER: Final = _account("$request.path.user_id")
