"""Logging in and out, and accounts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, jsonify
from flask.views import MethodView

from orders_app.auth import links, repository, tokens
from orders_app.auth.guards import admin_required, check_password, current_actor, login_required
from orders_app.auth.models import User
from orders_app.auth.schemas import (
    LoginSchema,
    NewUserSchema,
    PageOfUsers,
    RefreshSchema,
    RegistrationSchema,
    TokensSchema,
    UserChangesSchema,
    UserSchema,
)
from orders_app.auth.services import accounts, sessions
from orders_app.auth.services.accounts import account_changes, new_account
from orders_app.extensions import db, unit_of_work
from orders_app.http.api import PUBLIC, Blueprint, NoParameters, id_parameter
from orders_app.http.identifiers import id_from_path
from orders_app.http.pagination import PAGE_HEADERS, page_from
from orders_app.http.problems import INVALID_TOKEN
from orders_app.idempotency.guards import IDEMPOTENCY_KEY, REPLAYED_HEADER, answer_once
from orders_app.shared.denials import deny
from orders_app.shared.errors import NotAuthenticated, NotFound
from orders_app.shared.identity import Role
from orders_app.shared.unit_of_work import UnitOfWork

blp = Blueprint("auth", __name__, url_prefix="/api/v1", description="Log in, stay logged in, log out.")
registration_blp = Blueprint(
    "registration",
    __name__,
    url_prefix="/api/v1",
    description="Open an account; off unless REGISTRATION_OPEN.",
)
users_blp = Blueprint("users", __name__, url_prefix="/api/v1/users", description="Accounts, for admins.")

FORM_TOO = {"application/x-www-form-urlencoded": {"schema": {"$ref": "#/components/schemas/Login"}}}


@blp.route("/login/", methods=["POST"])
@blp.arguments(LoginSchema, location="json_or_form")
@blp.response(200, TokensSchema, description="The tokens")
@blp.problems(400, 401, 413, 415)
@blp.doc(**PUBLIC, requestBody={"content": FORM_TOO})
@blp.operation("logIn", {200: links.FROM_TOKENS})
def login(credentials: dict[str, str]) -> dict[str, str]:
    """Log in

    Exchange a name and a password for an access token (15 minutes) and a refresh token (7 days).
    A wrong name, a wrong password and a disabled account get the same answer; after too many of them
    in a minute it is 429 until the minute is over.
    """
    credential = check_password(**credentials)
    session = None
    if credential is not None:
        with unit_of_work() as uow:
            session = sessions.open_session(uow, credential=credential, lifetime=tokens.refresh_lifetime())
        if session is None:
            deny("wrong_password", credentials["username"])
    if session is None:
        raise NotAuthenticated("The name or the password is wrong.", code="invalid_credentials")
    return tokens.issue(session)


@blp.route("/refresh/", methods=["POST"])
@blp.arguments(RefreshSchema)
@blp.response(200, TokensSchema, description="The next pair of tokens")
@blp.problems(400, 401, 413, 415)
@blp.doc(**PUBLIC)
@blp.operation("refreshTokens", {200: links.FROM_TOKENS})
def refresh(shown: dict[str, str]) -> dict[str, str]:
    """Exchange the refresh token

    Each refresh token works once.  Using one a second time means that a copy is around, and ends the
    log-in that it came from.
    """
    claims = tokens.read(shown["refresh"], "refresh")
    outcome: sessions.OpenSession | sessions.RefreshRefused = sessions.RefreshRefused.UNKNOWN
    if claims is not None:
        with unit_of_work() as uow:
            outcome = sessions.rotate(
                uow,
                user_id=claims.user_id,
                family_id=claims.family_id,
                jti=claims.jti,
                lifetime=tokens.refresh_lifetime(),
            )
    if isinstance(outcome, sessions.RefreshRefused):
        deny("bad_refresh_token")
        raise NotAuthenticated("The refresh token is not good.", code=INVALID_TOKEN)
    return tokens.issue(outcome)


@blp.route("/logout/", methods=["POST"])
@blp.arguments(RefreshSchema)
@blp.response(204, description="Logged out: this log-in's tokens are refused from now on")
@blp.problems(400, 401, 413, 415)
@blp.doc(**PUBLIC)
@blp.operation("logOut")
def logout(shown: dict[str, str]) -> Response:
    """Log out

    Ends the log-in that the refresh token belongs to, access tokens included.
    """
    claims = tokens.read(shown["refresh"], "refresh")
    closed = False
    if claims is not None:
        with unit_of_work() as uow:
            closed = sessions.close_session(
                uow, user_id=claims.user_id, family_id=claims.family_id, jti=claims.jti
            )
    if not closed:
        deny("bad_refresh_token")
        raise NotAuthenticated("The refresh token is not good.", code=INVALID_TOKEN)
    return Response(status=204)


@registration_blp.route("/register/", methods=["POST"])
@registration_blp.arguments(RegistrationSchema)
@registration_blp.response(201, UserSchema, description="The account")
@registration_blp.problems(400, 409, 413, 415)
@registration_blp.doc(**PUBLIC)
@registration_blp.operation("register", {201: links.FROM_REGISTRATION})
def register(new: dict[str, str]) -> tuple[User, int, dict[str, str]]:
    """Register

    Open an account for yourself; log in with it next.
    """
    account = new_account(new["username"], new["password"])
    with unit_of_work() as uow:
        user = accounts.create_user(uow, actor=None, account=account)
    return user, 201, {"Location": "/api/v1/users/me/"}


@users_blp.route("/me/")
class Me(MethodView):
    @login_required
    @users_blp.arguments(NoParameters, location="query", as_kwargs=True)
    @users_blp.response(200, UserSchema, description="The account")
    @users_blp.problems(401)
    @users_blp.operation("readMyself")
    def get(self) -> User | None:
        """Who am I

        The account whose credentials were sent.
        """
        actor = current_actor()
        return repository.get_user(db.session(), actor.user_id) if actor.user_id else None


@users_blp.route("/")
class Users(MethodView):
    @admin_required
    @users_blp.arguments(PageOfUsers, location="query")
    @users_blp.response(200, UserSchema(many=True), headers=PAGE_HEADERS, description="A page of accounts")
    @users_blp.problems(401, 403)
    @users_blp.operation("listUsers")
    def get(self, query: dict[str, Any]) -> tuple[Any, int, dict[str, str]]:
        """List accounts

        In the order of their names; for admins.
        """
        page = page_from(query)
        session = db.session()
        total = repository.count_users(session)
        users = (
            [] if page.is_past(total) else repository.list_users(session, offset=page.offset, limit=page.size)
        )
        return users, 200, page.headers(total)

    @admin_required
    @users_blp.arguments(NewUserSchema)
    @users_blp.response(201, UserSchema, headers=REPLAYED_HEADER, description="The account")
    @users_blp.problems(400, 401, 403, 409, 413, 415)
    @users_blp.header(IDEMPOTENCY_KEY)
    @users_blp.operation("createUser", {201: links.FROM_NEW_USER})
    def post(self, new: dict[str, Any]) -> Response:
        """Create an account

        Names are unique without regard to case; 409 for one that is taken.
        """
        actor = current_actor()
        account = new_account(new["username"], new["password"], Role(new["role"]))

        def make(uow: UnitOfWork) -> Response:
            user = accounts.create_user(uow, actor=actor, account=account)
            response = jsonify(UserSchema().dump(user))
            response.status_code = 201
            response.headers["Location"] = f"/api/v1/users/{user.id}/"
            return response

        return answer_once(actor, make)


# The length of a UUID, so that `/me/` is no id here and says so in `Allow`.
@users_blp.route("/<string(length=36):user_id>/", parameters=id_parameter("user_id"))
class UserDetail(MethodView):
    @admin_required
    @users_blp.arguments(NoParameters, location="query", as_kwargs=True)
    @users_blp.response(200, UserSchema, description="The account")
    @users_blp.problems(401, 403, 404)
    @users_blp.operation("readUser", {200: links.FROM_USER})
    def get(self, user_id: str) -> User:
        """Read an account"""
        user = repository.get_user(db.session(), self._id(user_id))
        if user is None:
            raise NotFound("There is no such user.")
        return user

    @admin_required
    @users_blp.arguments(UserChangesSchema)
    @users_blp.response(200, UserSchema, description="The account as it is now")
    @users_blp.problems(400, 401, 403, 404, 409, 413, 415)
    @users_blp.operation("changeUser", {200: links.FROM_USER})
    def patch(self, changes: dict[str, Any], user_id: str) -> User:
        """Change an account

        A new password or a disabled account ends all its log-ins at once; a new role counts from the
        next request.  409 for a name that is taken, and for the last admin's own end.
        """
        if "role" in changes:
            changes["role"] = Role(changes["role"])
        checked = account_changes(**changes)
        with unit_of_work() as uow:
            return accounts.change_user(
                uow, actor=current_actor(), user_id=self._id(user_id), changes=checked
            )

    @staticmethod
    def _id(text: str) -> UUID:
        return id_from_path(text, "There is no such user.")
