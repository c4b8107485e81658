"""What lets somebody in, and the call that takes it away: one function for each kind of change that must bite (C3.4)."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from apps.accounts import deactivation
from apps.api_keys import lifecycle as api_keys
from apps.core.state import hold_back
from apps.customers import lifecycle as customers
from apps.tokens import emergency_rotation
from apps.users import lifecycle as users
from demo.client import Answer, Client, TokenKeys
from tests import factories

ME = "/api/auth/me"
ELSEWHERE = "203.0.113.0/24"  # nobody here asks from there


@dataclass(frozen=True)
class Request:
    """How a prober asks, and how it sees that what it holds still counts."""

    method: str
    path: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = b""
    still_has: Callable[[bytes], bool] = lambda _: True  # of an answer 200

    def counts(self, status: int, body: bytes) -> bool:
        return status == 200 and self.still_has(body)


@dataclass(frozen=True)
class Change:
    """A credential, and the call that must make it worthless in every process. `act` returns once the call has answered."""

    request: Request
    act: Callable[[], object]


Make = Callable[[list[Client]], Change]


def bearing(token: str, **options: Any) -> Request:
    return Request("GET", ME, {"Authorization": f"Bearer {token}"}, **options)


def answered(act: Callable[[], object]) -> Callable[[], None]:
    """As an operator's page does it: the answer comes when the middleware lets it go."""

    def call() -> None:
        act()
        hold_back.wait()

    return call


def succeeds(call: Callable[[], Answer]) -> Callable[[], None]:
    def act() -> None:
        answer = call()
        assert answer.status == 200, answer

    return act


def logout(servers: list[Client]) -> Change:
    token, server = factories.session(factories.user(factories.customer())).access, random.choice(servers)
    return Change(bearing(token), succeeds(lambda: server.post("/api/auth/logout", {}, token=token)))


def end_one(servers: list[Client]) -> Change:
    user, server = factories.user(factories.customer()), random.choice(servers)
    mine, other = factories.session(user), factories.session(user)
    path = f"/api/auth/sessions/{other.session_id}"
    return Change(bearing(other.access), succeeds(lambda: server.delete(path, token=mine.access)))


def end_all(servers: list[Client]) -> Change:
    user, server = factories.user(factories.customer(sessions_per_user=100)), random.choice(servers)
    mine, *others = (factories.session(user) for _ in range(random.choice((3, 30))))
    act = succeeds(lambda: server.delete("/api/auth/sessions", token=mine.access))
    return Change(bearing(random.choice(others).access), act)


def erase(servers: list[Client]) -> Change:
    token, server = factories.session(factories.user(factories.customer())).access, random.choice(servers)
    return Change(bearing(token), succeeds(lambda: server.delete(ME, token=token)))


def deactivate(_servers: list[Client]) -> Change:
    user = factories.user(factories.customer())
    token = factories.session(user).access
    return Change(
        bearing(token), answered(lambda: deactivation.deactivate(user, context=factories.context(factories.ACTOR)))
    )


def role(_servers: list[Client]) -> Change:
    """The token goes on; what must be gone is what the role gave."""
    user = factories.user(factories.customer(), role="admin")
    token = factories.session(user).access

    def is_admin(body: bytes) -> bool:
        sealed = json.loads(body)["data"]
        return bool(TokenKeys(token).open(sealed, info=f"response GET {ME} 200")["role"] == "admin")

    act = answered(
        lambda: users.change(user, changes={"role": "company_user"}, context=factories.context(factories.ACTOR))
    )
    return Change(bearing(token, still_has=is_admin), act)


def policy(_servers: list[Client]) -> Change:
    customer = factories.customer()
    networks = {ELSEWHERE: ""}
    customers.replace_allowlist(customer=customer, networks=networks, context=factories.context(factories.ACTOR))
    token = factories.session(factories.user(customer)).access
    return Change(bearing(token), answered(lambda: factories.policy(customer, enforce_allowlist_on_tokens=True)))


def suspend(_servers: list[Client]) -> Change:
    customer = factories.customer()
    token = factories.session(factories.user(customer)).access
    return Change(
        bearing(token), answered(lambda: customers.suspend(customer, context=factories.context(factories.ACTOR)))
    )


def revoke_key(_servers: list[Client]) -> Change:
    row, text = factories.api_key(factories.customer(), scopes=["tokens:introspect"])
    headers = {"X-OTP-API-Key": text, "Content-Type": "application/json"}
    request = Request("POST", "/api/auth/introspect", headers, b'{"token": "x"}')
    return Change(request, answered(lambda: api_keys.revoke(row, context=factories.context(factories.ACTOR))))


def emergency(_servers: list[Client]) -> Change:
    customer = factories.customer()
    token = factories.session(factories.user(customer)).access
    act = answered(lambda: emergency_rotation.rotate_in_emergency(customer, context=factories.context(factories.ACTOR)))
    return Change(bearing(token), act)


KINDS: tuple[Make, ...] = (
    *(logout, end_one, end_all, deactivate, erase),
    *(role, policy, suspend, revoke_key, emergency),
)
