"""Authorization requests: which are answered, which are told to the app, and which are told to nobody but the user."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.audit import actions
from apps.audit.models import Event
from apps.customers.models import Customer
from apps.oauth import authorization
from apps.oauth.errors import AuthorizationRefused, UnusableRequest
from apps.oauth.models import AuthorizationCode, RegisteredClient
from apps.tokens import sessions
from apps.tokens.models import EndReason
from apps.tokens.proof import Proof
from apps.users.models import User, UserStatus
from tests import factories
from tests.oauth.authorizing import CHALLENGE, parsed, query_of, refusal

pytestmark = pytest.mark.django_db


def test_a_request_is_read(customer: Customer, client: RegisteredClient) -> None:
    """C4 (hosted sign-in)"""
    request = parsed(
        client,
        customer,
        scope="email openid groups openid",
        nonce="n-0S6_WzA2Mj",
        prompt="login",
        max_age="300",
        login_hint="ada@example.com",
        ui_locales="de en",
        claims='{"id_token": 7}',
        acr_values="urn:whatever",
        display="page",
    )
    assert request.client == client
    assert request.given.scopes == ("openid", "email")  # unknown ones are ignored
    assert (request.given.nonce, request.given.max_age) == ("n-0S6_WzA2Mj", 300)
    assert (request.given.login_hint, request.given.ui_locales) == ("ada@example.com", "de en")
    assert request.may_show_pages
    assert request.form_target == "https://app.example.com"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None},
        {"client_id": "nobody"},
        {"client_id": ["a", "b"]},
        {"client_id": "019a0000-0000-7000-8000-000000000000"},
        {"redirect_uri": None},
        {"redirect_uri": ""},
        {"redirect_uri": "https://app.example.com/callback/"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": ["https://app.example.com/callback", "https://evil.example/"]},
        {"redirect_uri": ["https://app.example.com/callback", "https://app.example.com/callback"]},
    ],
)
def test_nobody_is_redirected_to_an_address_that_is_not_the_clients(
    customer: Customer, client: RegisteredClient, changes: dict[str, Any]
) -> None:
    """C4 (hosted sign-in)"""
    with pytest.raises(UnusableRequest):
        parsed(client, customer, **changes)


def test_a_client_is_nothing_at_another_customer_and_nothing_once_disabled(
    customer: Customer, client: RegisteredClient
) -> None:
    """C1.5"""
    other = factories.customer(algorithm="ES256")
    with pytest.raises(UnusableRequest):
        parsed(client, other)
    RegisteredClient.objects.update(disabled_at=timezone.now())
    with pytest.raises(UnusableRequest):
        parsed(client, customer)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),  # it would mean plain
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": CHALLENGE + "\n"}, "invalid_request"),
        ({"code_challenge": [CHALLENGE, CHALLENGE]}, "invalid_request"),
        ({"scope": ["openid", "email"]}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "whatever"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "\u0663"}, "invalid_request"),
        ({"nonce": "a\0b"}, "invalid_request"),
        ({"nonce": 513 * "n"}, "invalid_request"),
        ({"request": "eyJ.e.J"}, "request_not_supported"),
        ({"request_uri": "https://evil.example/"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"unknown": ["1", "2"]}, "invalid_request"),
    ],
)
def test_what_else_is_wrong_is_told_to_the_app(
    customer: Customer, client: RegisteredClient, changes: dict[str, Any], error: str
) -> None:
    """C4 (hosted sign-in): with `state` and `iss`, so that the app knows what was asked, and who answers (RFC 9207)."""
    told = refusal(client, customer, **changes)
    assert (told["error"], told["state"]) == (error, "a state")
    assert told["iss"].endswith(f"/customers/{customer.slug}")
    assert "code" not in told


@pytest.mark.parametrize("state", [["a", "b"], 2049 * "s", "a\0b", "\ud800"])
def test_a_state_that_cannot_be_given_back_is_not(customer: Customer, client: RegisteredClient, state: Any) -> None:
    told = refusal(client, customer, state=state)
    assert told["error"] == "invalid_request"
    assert "state" not in told


def test_scopes_are_those_of_the_client(customer: Customer) -> None:
    limited, _ = factories.oauth_client(customer, scopes=["openid"])
    assert refusal(limited, customer, scope="openid email")["error"] == "invalid_scope"
    assert parsed(limited, customer, scope="openid unknown").given.scopes == ("openid",)
    assert parsed(limited, customer, scope=None).given.scopes == ()


def test_openid_needs_a_key_that_can_be_published() -> None:
    """C4 (hosted sign-in): with a shared secret the client could forge what it is to verify."""
    shared = factories.customer(algorithm="HS256")
    client, _ = factories.oauth_client(shared)
    assert refusal(client, shared, scope="openid")["error"] == "invalid_scope"
    assert parsed(client, shared, scope="email").given.scopes == ("email",)


NOW = timezone.now()
EARLIER = Proof(int(NOW.timestamp()) - 100, ("pwd",))


@pytest.mark.parametrize(
    ("changes", "proof", "needed"),
    [
        ({}, None, True),
        ({}, EARLIER, False),
        ({"prompt": "none"}, EARLIER, False),
        ({"prompt": "consent"}, EARLIER, False),
        ({"prompt": "login"}, EARLIER, True),
        ({"prompt": "select_account consent"}, EARLIER, True),
        ({"prompt": "create"}, EARLIER, True),
        ({"max_age": "99"}, EARLIER, True),
        ({"max_age": "101"}, EARLIER, False),
        ({"max_age": "0"}, EARLIER, True),
    ],
)
def test_a_session_is_good_enough_or_not(
    customer: Customer, ada: User, client: RegisteredClient, changes: dict[str, Any], proof: Proof | None, needed: bool
) -> None:
    """C4 (hosted sign-in): `prompt`, `max_age`"""
    request = parsed(client, customer, **changes)
    assert authorization.needs_sign_in(request, proof, user_id=ada.id, now=NOW) is needed


def test_an_app_that_forbids_pages_is_told_that_a_sign_in_is_needed(
    customer: Customer, client: RegisteredClient
) -> None:
    request = parsed(client, customer, prompt="none")
    assert not request.may_show_pages
    assert query_of(request.refused("login_required").address)["error"] == "login_required"


def test_a_grant_leads_back_with_code_state_and_issuer(customer: Customer, ada: User, client: RegisteredClient) -> None:
    """C4 (hosted sign-in), C2.4: the code itself is stored nowhere."""
    pair = factories.session(ada)
    state = "öffne &x=y+z%20#?/\"'<>"
    address = authorization.grant(
        parsed(client, customer, state=state, nonce="n"), session_id=pair.session_id, context=factories.context()
    )
    told = query_of(address)
    assert set(told) == {"code", "state", "iss"}
    assert told["state"] == state
    row = AuthorizationCode.objects.of(customer.id).get()
    assert (row.scope, row.nonce, row.hosted_session_id) == ("openid email", "n", pair.session_id)
    assert row.expires_at - row.created_at == timedelta(seconds=60)
    event = Event.objects.get(action=actions.AUTHORIZATION_GRANTED)
    assert (event.user_id, event.details["client"]) == (ada.id, client.client_id)
    assert told["code"] not in f"{vars(row)} {vars(event)}"


def test_nothing_is_granted_without_a_living_session_of_an_active_user(
    customer: Customer, ada: User, client: RegisteredClient
) -> None:
    """C4 (hosted sign-in): a pending user may sign in to do what is demanded, but apps must not take it for an active one."""
    pair, request = factories.session(ada), parsed(client, customer)

    def told() -> str:
        with pytest.raises(AuthorizationRefused) as refused:
            authorization.grant(request, session_id=pair.session_id, context=factories.context())
        return query_of(refused.value.address)["error"]

    User.objects.update(status=UserStatus.PENDING)
    assert told() == "access_denied"
    User.objects.update(status=UserStatus.ACTIVE)
    stranger = factories.session(factories.user(factories.customer()))
    sessions.end_all(customer_id=customer.id, user_id=ada.id, reason=EndReason.LOGOUT, context=factories.context())
    assert told() == "login_required"
    pair = stranger
    assert told() == "login_required"
    assert not AuthorizationCode.objects.exists()
