"""The first half of the state machine: accounts and log-ins, and how everybody's requests are judged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, initialize, multiple, rule

from tests.callers import USERS, basic
from tests.generated.client import LOGOUT, OPERATOR, REFRESH, Client, check_refusal
from tests.generated.model import Account, Family, Order, Refused, Shop, Shown
from tests.server.processes import Answer, ServerProcess

PEOPLE = {"ann": "user", "ben": "user", "root": "admin"}
WHO = st.sampled_from(list(PEOPLE))
WHOEVER = st.sampled_from(["the owner", "the owner", "the owner", *PEOPLE])
ME = f"{USERS}me/"


class People(RuleBasedStateMachine):
    """Two users and an admin, on a server that others used before; an operator keeps their accounts."""

    orders: Bundle[Order] = Bundle("orders")
    families: Bundle[Family] = Bundle("families")

    def __init__(self, server: ServerProcess) -> None:
        super().__init__()
        self.shop = Shop()
        self.client = Client(server, self.shop)
        # All orders of this example are younger than this, and all others are older.
        self.since = datetime.now(UTC).isoformat()

    @initialize()
    def open_accounts(self) -> None:
        for who, role in PEOPLE.items():
            name, password = f"{who}-{uuid4().hex[:12]}", f"{who}-password-1"
            body = {"username": name, "password": password, "role": role}
            answer = self.client.send(OPERATOR, "POST", USERS, body)
            assert answer.status == 201, answer.body
            self.shop.accounts[who] = Account(name, password, answer.json()["user_id"], role)

    # Log-ins

    @rule(target=families, who=WHO, right=st.sampled_from([True, True, False]))
    def log_in(self, who: str, right: bool) -> Family | MultipleResults[Family]:
        account = self.shop.accounts[who]
        answer = self.client.log_in(account, account.password if right else "not-the-password")
        if not right or not account.is_active:
            check_refusal(answer, Refused(401, "invalid_credentials"))
            return multiple()
        assert answer.status == 200, answer.body
        family = Family(account, [answer.json()["refresh"]], [answer.json()["access"]])
        self.shop.families.append(family)
        return family

    @rule(family=families, used=st.booleans(), path=st.sampled_from([REFRESH, REFRESH, LOGOUT]))
    def show_refresh_token(self, family: Family, used: bool, path: str) -> None:
        """The last one works once; one that was used before ends the log-in, and so does logging out."""
        is_good = family.is_open and (not used or len(family.refresh) == 1)
        answer = self.client.show(path, family.refresh[0 if used else -1])
        if not is_good:
            check_refusal(answer, Refused(401, "invalid_token"))
        elif path == REFRESH:
            assert answer.status == 200, answer.body
            family.refresh.append(answer.json()["refresh"])
            family.access.append(answer.json()["access"])
        else:
            assert (answer.status, answer.body) == (204, b"")
        family.is_open = is_good and path == REFRESH

    @rule(family=families, which=st.integers(0, 3))
    def use_tokens(self, family: Family, which: int) -> None:
        """Each access token works as long as its log-in stands, and neither kind of token as the other."""
        access = family.access[which % len(family.access)]
        server = self.client.server
        answer = server.request("GET", ME, auth=f"Bearer {access}")
        if family.is_open:
            assert (answer.status, answer.json()["username"]) == (200, family.owner.name)
        else:
            check_refusal(answer, Refused(401, "invalid_token"))
        answer = server.request("GET", ME, auth=f"Bearer {family.refresh[-1]}")
        check_refusal(answer, Refused(401, "invalid_token"))
        check_refusal(self.client.show(REFRESH, access), Refused(401, "invalid_token"))

    # Accounts

    @rule(who=WHO, what=st.sampled_from(["password", "name", "role", "role", "disable", "enable", "enable"]))
    def change_account(self, who: str, what: str) -> None:
        account = self.shop.accounts[who]
        if what == "password":
            self._new_password(account)
        elif what == "name":
            self._change_account(account, username=f"{who}-{uuid4().hex[:12]}")
        elif what == "role":
            self._other_role(account)
        else:
            self._change_account(account, is_active=what == "enable")

    def _new_password(self, account: Account) -> None:
        """The old one is of no more use, and neither is any token."""
        old = account.password
        self._change_account(account, password=f"password-{uuid4().hex}")
        answer = self.client.server.request("GET", ME, auth=basic(account.name, old))
        check_refusal(answer, Refused(401, "invalid_credentials"))

    def _other_role(self, account: Account) -> None:
        """It counts from the next request, whatever the tokens are that come with it."""
        self._change_account(account, role="user" if account.is_admin else "admin")
        if account.is_active:
            answer = self.client.send(account, "GET", f"{USERS}?page_size=1")
            assert answer.status == (200 if account.is_admin else 403)

    def _change_account(self, account: Account, **values: Any) -> None:
        answer = self.client.send(OPERATOR, "PATCH", f"{USERS}{account.user_id}/", values)
        assert answer.status == 200, answer.body
        assert values.items() >= {name: answer.json()[name] for name in values.keys() - {"password"}}.items()
        if "password" in values or values.get("is_active", account.is_active) != account.is_active:
            self.shop.end_log_ins(account)
        if "username" in values:
            self.shop.rename(account, values["username"])
        account.password = values.get("password", account.password)
        account.role = values.get("role", account.role)
        account.is_active = values.get("is_active", account.is_active)

    # How requests are judged

    def _actor(self, who: str, order: Order) -> Account:
        """Who acts on an order; mostly the one who may, or little would ever happen to it."""
        if who in PEOPLE:
            return self.shop.accounts[who]
        return next(each for each in self.shop.accounts.values() if each.name == order.shown["user"])

    def _expect(self, actor: Account, answer: Answer, what: Callable[[], Shown]) -> Shown | None:
        """What the model says that the order is now; None where it says that this request is refused."""
        try:
            self.shop.admit(actor)
            return what()
        except Refused as refused:
            check_refusal(answer, refused)
            return None

    def _query(self, actor: Account, wanted: dict[str, Any], **more: Any) -> str:
        """A query for these filters; an admin's leaves the orders of earlier examples out."""
        limits = {"created_after": self.since} if actor.is_admin else {}
        return urlencode({**wanted, **limits, **more}, doseq=True)
