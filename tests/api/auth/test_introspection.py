"""Introspection (RFC 7662): what a token is worth at this moment, told to its own customer's servers and to nobody else."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.utils import timezone

from apps.api_keys.models import Scope
from apps.audit.models import Event
from apps.customers import keyring, lifecycle
from apps.customers import state as customers
from apps.customers.models import Customer
from apps.tokens import emergency_rotation, minting, sessions
from apps.tokens.minting import TokenPair
from apps.tokens.models import EndReason, RefreshToken
from apps.users import lifecycle as users
from apps.users.models import User, UserStatus
from tests import factories
from tests.api.servers import INTROSPECT, MALFORMED, MALFORMED_NAMES, Server
from tests.conftest import MakeClient
from tests.remembering import changed
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)
INACTIVE = {"active": False}
WHO = "operator:x"


class Scene:
    """A signed-in user of one customer, that customer's server, and the server of another customer."""

    def __init__(self) -> None:
        self.customer, self.other = factories.customer(), factories.customer()
        self.user = factories.user(self.customer)
        self.pair = factories.session(self.user)
        self.server, self.other_server = Server(self.customer), Server(self.other)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def signed(customer: Customer, claims: dict[str, Any], *, typ: str = "at+jwt", secret: bytes | None = None) -> str:
    standing = customers.read(customer.id)
    keys = minting.signing_keys(standing, keyring.current_kid(standing))
    return jwt.encode(claims, (secret or keys.access).decode(), "HS256", headers={"typ": typ, "kid": keys.kid})


def test_a_living_access_token_is_described(scene: Scene) -> None:
    """RFC 7662 section 2.2: the standard members, and the token's own."""
    found, claims = scene.server.introspect(scene.pair.access), claims_of(scene.pair.access)
    assert found == {
        "active": True,
        "token_type": "Bearer",
        "token_use": "access",
        "username": "ada@example.com",
        "email": "ada@example.com",
        "role": "company_user",
        "permissions": [],
        "scope": "",
        "status": "active",
        **{name: claims[name] for name in ("iss", "aud", "sub", "customer_id", "sid", "jti", "iat", "nbf", "exp")},
        **{name: claims[name] for name in ("auth_time", "amr")},  # RFC 9470 section 6.2
    }


def test_a_form_is_answered_like_json(scene: Scene) -> None:
    """RFC 7662 section 2.1: OAuth's libraries send forms, with a hint that may be wrong."""
    by_json = scene.server.introspect(scene.pair.access)
    for hint in ("access_token", "refresh_token", "nonsense", ""):
        answer = scene.server.post_form(INTROSPECT, ("token", scene.pair.access), ("token_type_hint", hint))
        assert (answer.status, answer.document) == (200, by_json)
    assert answer.headers["cache-control"] == "no-store"


def test_a_refresh_token_is_active_until_it_is_used(scene: Scene, client_for: MakeClient) -> None:
    """C3.6: it counts once, with its row; and no resource server can take it for an access token."""
    found = scene.server.introspect(scene.pair.refresh)
    assert (found["active"], found["token_use"], "token_type" in found) == (True, "refresh", False)
    fresh = client_for(None).refresh(scene.pair.refresh).document
    assert scene.server.introspect(scene.pair.refresh) == INACTIVE
    assert scene.server.introspect(fresh["refresh_token"])["active"]
    RefreshToken.objects.all().delete()
    assert scene.server.introspect(fresh["refresh_token"]) == INACTIVE


def test_another_customers_token_is_never_active(scene: Scene) -> None:
    """C1.5: only tokens of the key's customer, whatever the token claims."""
    for token in (scene.pair.access, scene.pair.refresh):
        assert scene.other_server.introspect(token) == INACTIVE
    lie = signed(scene.customer, {**claims_of(scene.pair.access), "customer_id": str(scene.other.id)})
    assert scene.other_server.introspect(lie) == INACTIVE
    assert scene.server.introspect(lie) == INACTIVE


def retire_secret(customer: Customer) -> None:
    now = timezone.now()
    keyring.rotate_gracefully(customer, retires_at=now, context=factories.context(WHO, now=now))


END: dict[str, Callable[[Scene], object]] = {
    "logout": lambda scene: sessions.log_out(
        customer_id=scene.customer.id,
        user_id=scene.user.id,
        session_id=scene.pair.session_id,
        jti=scene.pair.jti,
        token_expires_at=timezone.now() + timedelta(hours=1),
        context=factories.context(),
    ),
    "session ended": lambda scene: sessions.end_one(
        customer_id=scene.customer.id,
        user_id=scene.user.id,
        session_id=scene.pair.session_id,
        reason=EndReason.OPERATOR,
        context=factories.context(WHO),
    ),
    "user deactivated": lambda scene: users.deactivate(scene.user, context=factories.context(WHO)),
    "emergency rotation": lambda scene: emergency_rotation.rotate_in_emergency(
        scene.customer, context=factories.context(WHO)
    ),
    "secret retired": lambda scene: retire_secret(scene.customer),
}


@pytest.mark.parametrize("end", END.values(), ids=END.keys())
def test_whatever_ends_a_token_makes_it_inactive_at_once(scene: Scene, end: Callable[[Scene], object]) -> None:
    """C3.4: everything that makes a token count is looked at."""
    assert scene.server.introspect(scene.pair.access)["active"]
    end(scene)
    assert scene.server.introspect(scene.pair.access) == INACTIVE
    assert scene.server.introspect(scene.pair.refresh) == INACTIVE


def test_a_suspended_customers_server_is_refused_as_everywhere(scene: Scene) -> None:
    """C1.8."""
    lifecycle.suspend(scene.customer, context=factories.context(WHO))
    answer = scene.server.post(INTROSPECT, {"token": scene.pair.access})
    assert (answer.status, answer.error_type) == (403, "customer_suspended")


def test_role_and_permissions_are_those_of_now(scene: Scene) -> None:
    """C3.3: the permissions of the role and of the user as they are now, not as the token says."""
    factories.role(scene.customer, "auditor", "invoices.read")
    factories.permission(scene.customer, "invoices.pay")
    changes = {"role": "auditor", "permissions": ["invoices.pay"]}
    users.change(scene.user, changes=changes, context=factories.context(WHO))
    found = scene.server.introspect(scene.pair.access)
    assert (found["role"], found["permissions"]) == ("auditor", ["invoices.pay", "invoices.read"])
    assert found["scope"] == "invoices.pay invoices.read"
    assert claims_of(scene.pair.access)["permissions"] == []


def test_a_pending_users_token_says_so() -> None:
    """C4, register: it may sign in, but not all is done that the customer demands: so its permissions are none yet.

    Neither here nor in the token, which other servers read by themselves.
    """
    customer = factories.customer()
    factories.role(customer, "company_user", "invoices.read")
    pair = factories.session(factories.user(customer, status=UserStatus.PENDING))
    found = Server(customer).introspect(pair.access)
    assert (found["active"], found["status"], found["scope"]) == (True, "pending", "")
    assert (claims_of(pair.access)["permissions"], pair.permissions) == ([], ())


def test_an_expired_token_is_inactive_and_nobody_is_alarmed(scene: Scene) -> None:
    """C8: that tokens expire is why servers ask."""
    past = int(timezone.now().timestamp()) - 60
    assert scene.server.introspect(signed(scene.customer, {**claims_of(scene.pair.access), "exp": past})) == INACTIVE
    assert not Event.objects.filter(action="expired_token_replayed").exists()


def garbage(pair: TokenPair) -> list[str]:
    header, payload, signature = pair.access.split(".")
    return [
        "",
        " ",
        "x",
        "\0",
        "..",
        "a" * 9000,
        "é.a.b",
        f" {pair.access}",
        pair.access + "\n",
        f"{header}.{payload}.",
        f"{header}.{payload}.{signature[:-4]}AAAA",
        f"{header}..{signature}",
        jwt.encode({"customer_id": 7}, "k" * 64, "HS256", headers={"typ": "at+jwt", "kid": "x"}),
    ]


def test_garbage_is_inactive_never_an_error_and_no_flood(scene: Scene) -> None:
    """RFC 7662 section 2.2: no error about the token; C8: one event for forged signatures, however many come."""
    for text in garbage(scene.pair) * 2:
        assert scene.server.introspect(text) == INACTIVE
    for _ in range(5):
        forged = {**claims_of(scene.pair.access), "jti": str(uuid4())}
        assert scene.server.introspect(signed(scene.customer, forged, secret=b"k" * 128)) == INACTIVE
    assert Event.objects.filter(action="signature_failed").count() == 1


def test_a_challenge_is_never_active(scene: Scene) -> None:
    """C3.1: a `2fa+jwt` proves a first factor alone."""
    now = timezone.now()
    text = minting.challenge(
        customer=customers.read(scene.customer.id),
        user_id=scene.user.id,
        challenge_id=uuid4(),
        issued_at=now,
        expires_at=now + timedelta(minutes=5),
    )
    assert scene.server.introspect(text) == INACTIVE


def test_only_a_key_with_the_scope_may_ask(scene: Scene, client_for: MakeClient) -> None:
    """C1.3, C1.4: a key, with the scope; a user's own access token is no key."""
    body = json.dumps({"token": scene.pair.access}).encode()
    bare = client_for(None).call("POST", INTROSPECT, body)
    assert (bare.status, bare.error_type) == (401, "api_key_required")
    weak = Server(scene.customer, [Scope.AUTH, Scope.TOKENS_REVOKE]).post(INTROSPECT, {"token": scene.pair.access})
    assert (weak.status, weak.error_type) == (403, "permission_denied")
    headers = {"Authorization": f"Bearer {scene.pair.access}"}
    by_token = client_for(None).call("POST", INTROSPECT, body, headers=headers)
    assert (by_token.status, by_token.error_type) == (401, "invalid_api_key")
    headers = {"Authorization": f"Bearer {scene.server.key}"}
    assert client_for(None).call("POST", INTROSPECT, body, headers=headers).document["active"]


@pytest.mark.parametrize(("body", "media_type"), MALFORMED, ids=MALFORMED_NAMES)
def test_a_malformed_request_is_told_so_in_the_one_form(scene: Scene, body: bytes, media_type: str) -> None:
    """C5: bad input is always a 4xx."""
    answer = scene.server.send(INTROSPECT, body, content_type=media_type)
    assert (answer.status, answer.error_type) in {(400, "malformed_request"), (400, "validation_error")}


@pytest.mark.parametrize("media_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_body_is_bounded(scene: Scene, media_type: str) -> None:
    answer = scene.server.send(INTROSPECT, b"token=" + b"a" * 70_000, content_type=media_type)
    assert (answer.status, answer.error_type) == (413, "payload_too_large")
    answer = scene.server.send(INTROSPECT, b"<token/>", content_type="text/xml")
    assert (answer.status, answer.error_type) == (415, "unsupported_media_type")


def test_it_costs_nothing_when_all_is_remembered(scene: Scene) -> None:
    scene.server.introspect(scene.pair.access)
    with counted() as cost:
        assert scene.server.introspect(scene.pair.access)["active"]
    assert (cost.statements, cost.round_trips) == ([], 0)


def test_without_valkey_it_answers_from_postgresql(scene: Scene, valkey_away: Any) -> None:
    """C6: if Valkey is away, verifying tokens goes on."""
    valkey_away.kill()
    assert scene.server.introspect(scene.pair.access)["active"]
    User.objects.filter(id=scene.user.id).update(status=UserStatus.DEACTIVATED)
    changed(scene.customer)
    assert scene.server.introspect(scene.pair.access) == INACTIVE
