"""How Schemathesis runs against this service; `schemathesis.toml` names this module.

It needs nothing but the repository and a running server, so that anybody can run it by hand.
"""

from __future__ import annotations

import unicodedata
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import schemathesis
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree

from tests.generated.findings import rightly_refused, still_readable, valid_as_sent

CHANGE_USER = "changeUser"
BYSTANDER = {"username": "bystander", "password": "bystander-password-1"}
ASSIGNED = "ø"

_swapped: dict[str, tuple[str, str]] = {}
"""For each `Authorization`: the id of its account, and the id of the account that is changed instead."""


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    """Hold every status against the list of its operation.

    `default` documents the shape of any other error, and would let every status pass as documented.
    """
    for item in raw_schema["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                operation.get("responses", {}).pop("default", None)


@schemathesis.hook
def map_body(context: HookContext, body: Any) -> Any:
    """Make up text of characters that exist: with one that does not, whole bodies are refused at once."""
    return _assigned(body)


@schemathesis.hook
def map_query(context: HookContext, query: dict[str, Any]) -> dict[str, Any]:
    """As for bodies."""
    mapped: dict[str, Any] = _assigned(query)
    return mapped


def _assigned(value: Any) -> Any:
    if type(value) is str:
        return "".join(
            ASSIGNED if unicodedata.category(character) == "Cn" else character for character in value
        )
    if isinstance(value, dict):
        return {key: _assigned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_assigned(item) for item in value]
    return value


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Keep the run from changing its own account: without it everything after would only be 401 or 403.

    The request goes to an account that stands by for this.
    """
    if case.operation.definition.raw.get("operationId") != CHANGE_USER:
        return
    authorization = case.headers.get("Authorization")
    if not isinstance(authorization, str) or not isinstance(case.path_parameters, dict):
        return
    if authorization not in _swapped:
        _swapped[authorization] = _own_and_bystander(str(case.operation.base_url), authorization)
    own, bystander = _swapped[authorization]
    if own and case.path_parameters.get("user_id") == own:
        case.path_parameters["user_id"] = bystander


def _own_and_bystander(base_url: str, authorization: str) -> tuple[str, str]:
    users = f"{base_url.rstrip('/')}/api/v1/users/"
    headers = {"Authorization": authorization}
    me = requests.get(f"{users}me/", headers=headers, timeout=10)
    if me.status_code != 200 or me.json()["role"] != "admin":
        return "", ""
    for number in range(1000):
        body = {**BYSTANDER, "username": f"{BYSTANDER['username']} {number}"}
        made = requests.post(users, json=body, headers=headers, timeout=10)
        if made.status_code == 201:
            return str(me.json()["user_id"]), str(made.json()["user_id"])
    raise RuntimeError("No account could be made to stand by.")


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    """Whether a finding counts; `findings.py` has what does not, and why."""
    if isinstance(failure, RejectedPositiveData):
        sent = {
            "json": case.body,
            "query": {name: values[0] for name, values in _query(response).items()},
        }
        return not rightly_refused(response.json(), sent)
    definition = case.operation.definition.raw
    if isinstance(failure, AcceptedNegativeData) and "requestBody" not in definition:
        return not valid_as_sent(definition.get("parameters", []), _query(response))
    if isinstance(failure, UseAfterFree):
        return not still_readable(response.content)
    return True


def _query(response: Response) -> dict[str, list[str]]:
    return parse_qs(urlsplit(str(response.request.url)).query, keep_blank_values=True)
