"""`POST /api/oauth/token`: a code for tokens, once, by the client that it was given to (contract 4, hosted sign-in)."""

from base64 import b64encode
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.utils import timezone

from apps.accounts import deactivation
from apps.audit import actions
from apps.audit.models import Event, Severity
from apps.customers import keyring
from apps.customers import lifecycle as customers
from apps.customers.models import Customer
from apps.oauth import clients
from apps.oauth.models import AuthorizationCode, RegisteredClient
from apps.tokens import id_tokens, sessions, signing
from apps.tokens.models import EndReason, Session
from apps.tokens.signing import TokenKind
from apps.users import credentials
from apps.users.models import User, UserStatus
from tests import factories
from tests.oauth.authorizing import VERIFIER
from tests.oauth.exchanging import anybody, basic, code_for, exchange, hosted, post, signed_in, userinfo

pytestmark = pytest.mark.django_db(transaction=True)

NONCE = "$argon2id$v=19$m=8,t=1,p=1$ &+%2f"  # some libraries make it so


def claims_of(id_token: str, customer: Customer, audience: str) -> dict[str, Any]:
    """As a client library verifies it: by the published key."""
    state = factories.state_of(customer)
    keys = keyring.signing_keys(customer.id, keyring.current_kid(state))
    assert keys is not None
    public = signing.backend(keys, TokenKind.ACCESS).keys.verifying
    issuer = f"{settings.PUBLIC_URL}/customers/{customer.slug}"
    found: dict[str, Any] = jwt.decode(
        id_token,
        public,
        algorithms=[customer.algorithm],
        audience=audience,
        issuer=issuer,
        options={"strict_aud": True},
    )
    return found


def test_a_code_gives_tokens_that_count(customer: Customer, ada: User, client: RegisteredClient) -> None:
    """C4 (hosted sign-in): the token answer, with `scope` and, for `openid`, an `id_token`."""
    where = hosted(ada, now=timezone.now() - timedelta(minutes=5), amr=("pwd", "otp", "mfa"))
    answer = exchange(client, code_for(client, ada, session=where, nonce=NONCE, scope="openid email"))
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    given = answer.document
    assert given["token_type"] == "Bearer"
    assert given["scope"] == "openid email"
    assert given["user"]["email"] == "ada@example.com"
    assert anybody().get("/api/auth/me", token=given["access_token"]).status == 200
    session = Session.objects.get(oauth_client_id=client.client_id)
    began = Session.objects.get(id=where.session_id)
    assert (session.auth_time, session.amr, session.user_agent) == (began.auth_time, began.amr, began.user_agent)
    access = jwt.decode(given["access_token"], options={"verify_signature": False})
    said = claims_of(given["id_token"], customer, client.client_id)
    assert said["sub"] == str(ada.id)
    assert (said["nonce"], said["azp"], said["sid"]) == (NONCE, client.client_id, str(session.id))
    assert said["auth_time"] == access["auth_time"] == int(began.auth_time.timestamp())  # type: ignore[union-attr]
    assert said["amr"] == ["pwd", "otp", "mfa"]
    assert said["at_hash"] == id_tokens.half_hash(given["access_token"], "ES256")
    assert (said["email"], said["email_verified"]) == ("ada@example.com", False)
    assert "name" not in said  # `profile` was not asked for
    assert said["exp"] - said["iat"] == 3600


@pytest.mark.parametrize("algorithm", ["EdDSA", "RS256"])
def test_id_tokens_are_signed_as_the_customer_signs(algorithm: str) -> None:
    customer = factories.customer(algorithm=algorithm)
    client, _ = factories.oauth_client(customer)
    ada = factories.user(customer, name="Ada", locale="de")
    given = signed_in(client, ada, scope="openid profile")
    said = claims_of(given["id_token"], customer, client.client_id)
    assert (said["name"], said["locale"]) == ("Ada", "de")
    assert said["at_hash"] == id_tokens.half_hash(given["access_token"], algorithm)
    assert "nonce" not in said


def test_an_id_token_is_no_access_token_and_the_other_way_round(
    customer: Customer, ada: User, client: RegisteredClient
) -> None:
    given = signed_in(client, ada)
    bearer = {"Authorization": f"Bearer {given['id_token']}"}
    assert anybody().call("GET", "/api/auth/me", headers=bearer).error_type == "invalid_token"
    assert userinfo(given["id_token"]).error_type == "invalid_token"
    state, now = factories.state_of(customer), timezone.now()
    assert id_tokens.read(given["access_token"], customer=state, now=now) is None
    with pytest.raises(jwt.InvalidAudienceError):  # a server that verifies offline, and forgets to look at `typ`
        claims_of(given["id_token"], customer, str(customer.id))
    with pytest.raises(jwt.InvalidAudienceError):
        claims_of(given["access_token"], customer, client.client_id)


def test_without_openid_there_is_no_id_token() -> None:
    """C4: a customer with a shared secret serves OAuth alone."""
    shared = factories.customer(algorithm="HS256")
    client, _ = factories.oauth_client(shared)
    given = signed_in(client, factories.user(shared), scope="email")
    assert "id_token" not in given
    assert given["scope"] == "email"
    assert "scope" not in signed_in(client, factories.user(shared, "eve@example.com"), scope=None)


def living(client: RegisteredClient) -> int:
    return Session.objects.filter(oauth_client_id=client.client_id).alive(timezone.now()).count()


def test_a_second_use_of_a_code_ends_what_the_first_gave(
    customer: Customer, ada: User, client: RegisteredClient
) -> None:
    """C4 (hosted sign-in)"""
    code = code_for(client, ada)
    given = exchange(client, code).document
    assert living(client) == 1
    again = exchange(client, code)
    assert (again.status, again.error_type) == (400, "invalid_grant")
    assert living(client) == 0
    assert anybody().get("/api/auth/me", token=given["access_token"]).error_type == "session_ended"
    assert Session.objects.get(oauth_client_id=client.client_id).end_reason == EndReason.CODE_REUSE
    event = Event.objects.get(action=actions.AUTHORIZATION_REUSED)
    assert (event.customer_id, event.user_id, event.severity) == (customer.id, ada.id, Severity.HIGH)
    assert exchange(client, code).error_type == "invalid_grant"


def test_who_finds_a_code_in_a_history_cannot_sign_the_user_out(ada: User, client: RegisteredClient) -> None:
    """A used code without its verifier is refused, and no more."""
    code = code_for(client, ada)
    exchange(client, code)
    assert exchange(client, code, code_verifier=VERIFIER[::-1]).error_type == "invalid_grant"
    assert living(client) == 1


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code": "x"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"code": ""}, "invalid_request"),
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": VERIFIER + "x"}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_grant"),
        ({"code_verifier": 43 * "\u00fc"}, "invalid_grant"),
        ({"code_verifier": VERIFIER + "\n"}, "invalid_grant"),
        ({"redirect_uri": "https://app.example.com/other"}, "invalid_grant"),
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_id": None}, "invalid_client"),
        ({"client_id": "nobody"}, "invalid_client"),
        ({"client_secret": "a secret of somebody else's"}, "invalid_client"),
    ],
)
def test_what_does_not_belong_to_the_code_is_refused_and_leaves_it_unused(
    ada: User, client: RegisteredClient, changes: dict[str, Any], error: str
) -> None:
    code = code_for(client, ada)
    refused = exchange(client, code, **changes)
    assert refused.error_type == error
    assert refused.status == (401 if error == "invalid_client" else 400)
    assert set(refused.document) == {"error", "error_description", "request_id"}
    assert refused.headers["cache-control"] == "no-store"
    assert exchange(client, code, redirect_uri=None).status == 200


def test_a_code_is_nothing_to_another_client_or_customer(
    customer: Customer, ada: User, client: RegisteredClient
) -> None:
    """C1.5"""
    code = code_for(client, ada)
    other, _ = factories.oauth_client(customer)
    stranger, _ = factories.oauth_client(factories.customer(algorithm="ES256"))
    assert exchange(other, code).error_type == "invalid_grant"
    assert Event.objects.get(action=actions.AUTHORIZATION_REJECTED).details["client"] == other.client_id
    assert exchange(stranger, code).error_type == "invalid_grant"
    assert exchange(client, code).status == 200


def test_a_code_lives_sixty_seconds(ada: User, client: RegisteredClient) -> None:
    """C4 (hosted sign-in)"""
    code = code_for(client, ada)
    AuthorizationCode.objects.update(expires_at=timezone.now())
    assert exchange(client, code).error_type == "invalid_grant"
    assert living(client) == 0


def new_credentials(user: User) -> None:
    credentials.change(user, now=timezone.now())


def deactivated(user: User) -> None:
    deactivation.deactivate(user, context=factories.context())


def signed_out(user: User) -> None:
    where = {"customer_id": user.customer_id, "user_id": user.id}
    sessions.end_all(**where, reason=EndReason.LOGOUT, context=factories.context())


def pending(user: User) -> None:
    User.objects.filter(id=user.id).update(status=UserStatus.PENDING)


def erased(user: User) -> None:
    user.delete()


@pytest.mark.parametrize("event", [new_credentials, deactivated, signed_out, pending, erased])
def test_a_code_dies_with_what_it_stands_on(ada: User, client: RegisteredClient, event: Any) -> None:
    """C4 (what a change of credentials voids)"""
    code = code_for(client, ada)
    event(ada)
    assert exchange(client, code).error_type == "invalid_grant"
    assert living(client) == 0


def test_a_suspended_customer_gives_nothing(customer: Customer, ada: User, client: RegisteredClient) -> None:
    """C1.8"""
    code = code_for(client, ada)
    customers.suspend(customer, context=factories.context())
    refused = exchange(client, code)
    assert (refused.status, refused.error_type) == (403, "customer_suspended")


# --- Which client calls -----------------------------------------------------------------------------------------------


@pytest.fixture
def confidential(customer: Customer) -> tuple[RegisteredClient, str]:
    return factories.oauth_client(customer, is_confidential=True)


def test_a_confidential_client_authenticates_in_either_way(
    ada: User, confidential: tuple[RegisteredClient, str]
) -> None:
    """RFC 6749 section 2.3.1: percent-encoded or, as many libraries send them, not."""
    client, secret = confidential
    every_letter = "".join(f"%{ord(letter):02x}" for letter in client.client_id)
    for headers in (
        basic(client.client_id, secret),
        basic_of(f"{client.client_id}:{secret}"),
        basic_of(f"{every_letter}:{secret}"),
    ):
        assert exchange(client, code_for(client, ada), headers=headers).status == 200
        assert exchange(client, code_for(client, ada), headers=headers, client_id=None).status == 200
    assert exchange(client, code_for(client, ada), client_secret=secret).status == 200


def basic_of(pair: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def test_a_confidential_client_must_show_its_secret(ada: User, confidential: tuple[RegisteredClient, str]) -> None:
    client, secret = confidential
    code = code_for(client, ada)
    tried: list[tuple[dict[str, str], dict[str, str | None]]] = [
        ({}, {}),
        ({}, {"client_secret": ""}),
        ({}, {"client_secret": secret + "x"}),
        (basic(client.client_id, secret[:-1]), {}),
        (basic(client.client_id, ""), {}),
        (basic("nobody", secret), {"client_id": None}),
        (basic_of(client.client_id), {}),
        (basic_of(f"{client.client_id}:%E4"), {}),
        ({"Authorization": "Basic !!!"}, {}),
        ({"Authorization": "Basic"}, {}),
        ({"Authorization": "Bearer x"}, {}),
    ]
    for headers, changes in tried:
        refused = exchange(client, code, headers=headers, **changes)
        assert (refused.status, refused.error_type) == (401, "invalid_client"), (headers, changes)
        assert refused.headers["www-authenticate"].startswith("Basic realm=")
    event = Event.objects.get(action=actions.OAUTH_CLIENT_REJECTED)
    assert event.details == {"client": client.client_id, "rule": "wrong_client_secret", "step": "call"}
    assert exchange(client, code, headers=basic(client.client_id, secret)).status == 200


def test_a_client_authenticates_in_one_way_at_a_time(ada: User, confidential: tuple[RegisteredClient, str]) -> None:
    client, secret = confidential
    twice = exchange(client, code_for(client, ada), headers=basic(client.client_id, secret), client_secret=secret)
    other = exchange(client, code_for(client, ada), headers=basic(client.client_id, secret), client_id="other")
    assert twice.error_type == other.error_type == "invalid_request"


def test_a_rotated_secret_works_for_the_overlap(ada: User, confidential: tuple[RegisteredClient, str]) -> None:
    client, old = confidential
    new = clients.rotate_secret(client, overlap=timedelta(hours=1), context=factories.context())
    for secret in (old, new):
        assert exchange(client, code_for(client, ada), client_secret=secret).status == 200
    RegisteredClient.objects.update(old_secret_expires_at=timezone.now())
    assert exchange(client, code_for(client, ada), client_secret=old).error_type == "invalid_client"
    newest = clients.rotate_secret(client, overlap=timedelta(0), context=factories.context())
    assert exchange(client, code_for(client, ada), client_secret=new).error_type == "invalid_client"
    assert exchange(client, code_for(client, ada), client_secret=newest).status == 200


def test_secrets_and_codes_are_in_no_event_and_no_row(
    customer: Customer, ada: User, confidential: tuple[RegisteredClient, str]
) -> None:
    """C1.2, C2.4"""
    client, secret = confidential
    code = code_for(client, ada)
    given = exchange(client, code, client_secret=secret).document
    written = [*Event.objects.values(), *RegisteredClient.objects.values(), *AuthorizationCode.objects.values()]
    for hidden in (secret, code, given["access_token"], given["refresh_token"], given["id_token"], VERIFIER):
        assert hidden not in str(written)
    assert secret.startswith("ghs_")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"grant_type=authorization_code&grant_type=authorization_code", {}),
        (b'{"grant_type": "authorization_code"}', {"Content-Type": "application/json"}),
        (b"grant_type=%00", {}),
        (b"\xff", {}),
        (b"", {}),
        (b"&".join(b"a%d=1" % number for number in range(30)), {}),
        (b"grant_type=" + 70_000 * b"x", {}),
        (b"grant_type=" + 9_000 * b"x", {}),
    ],
)
def test_a_request_that_cannot_be_read_is_refused_in_the_form_of_oauth(body: bytes, headers: dict[str, str]) -> None:
    """RFC 6749 section 5.2; C5: bad input is always a 4xx."""
    sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    refused = anybody().call("POST", "/api/oauth/token", body, headers=sent)
    assert 400 <= refused.status < 500
    assert refused.error_type == "invalid_request"
    german = anybody().call("POST", "/api/oauth/token", body, headers={**sent, "Accept-Language": "de"})
    assert german.document["error_description"].isascii()
    assert anybody().call("GET", "/api/oauth/token").status == 405


def test_the_apps_own_pages_may_call_and_others_may_not(customer: Customer, ada: User) -> None:
    """C3.8 (CORS): the origins that the customer allows, and those of the client's redirect addresses."""
    client, _ = factories.oauth_client(customer, redirect_uris=["https://spa.example/cb", "com.example.app:/cb"])
    factories.policy(customer, allowed_origins=["https://app.example.com"])

    def allowed(origin: str) -> str | None:
        return post(
            "/api/oauth/token", {"client_id": client.client_id, "grant_type": "x"}, headers={"Origin": origin}
        ).headers.get("access-control-allow-origin")

    assert allowed("https://spa.example") == "https://spa.example"
    assert allowed("https://app.example.com") == "https://app.example.com"
    assert allowed("https://evil.example") is None
    preflight = {"Origin": "https://spa.example", "Access-Control-Request-Method": "POST"}
    asked = anybody().call("OPTIONS", "/api/oauth/token", headers=preflight)
    assert asked.headers["access-control-allow-origin"] == "https://spa.example"
    clients.disable(client, context=factories.context())
