"""`GET /verify` lets in whom the checks of an access token let in and who meets the demands, and says who it is."""

import json
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from apps.api.forward_auth.shortcut import ForwardAuthShortcut
from apps.audit.models import Event
from apps.core import actors
from apps.core.state import hold_back
from apps.customers import lifecycle as customers
from apps.customers.models import DEFAULT_CUSTOMER_ID, Customer
from apps.tokens import emergency_rotation, sessions
from apps.tokens.minting import TokenPair
from apps.users import lifecycle as users
from apps.users import roles
from apps.users.models import Role, User
from tests import factories
from tests.api.auth.two_ways import OVER_TLS, PRODUCTION, PROXY
from tests.api.forward_auth.asking import (
    CUSTOMER,
    PERMISSIONS,
    ROLE,
    TOLD,
    USER,
    Proxy,
    nothing_behind,
)
from tests.remembering import forget_everything
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)


class Scene:
    """A user who may read and write invoices, of one of two customers."""

    def __init__(self) -> None:
        self.customer, self.other = factories.customer(), factories.customer()
        factories.role(self.customer, "auditor", "invoices.read", "invoices.write")
        self.user = factories.user(self.customer, role="auditor")
        self.token = factories.session(self.user).access

    def path(self, *demands: str) -> str:
        return "/verify?" + "&".join((f"customer={self.customer.slug}", *demands))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_the_app_is_told_who_it_is_and_what_they_may_now(proxy: Proxy, scene: Scene) -> None:
    answer = proxy.ask(scene.path(), token=scene.token)
    assert answer.status == 204
    assert answer.told == {
        USER: str(scene.user.id),
        CUSTOMER: str(scene.customer.id),
        ROLE: "auditor",
        PERMISSIONS: "invoices.read invoices.write",
    }


def test_the_answer_is_kept_by_nobody_and_bears_what_every_answer_bears(proxy: Proxy, scene: Scene) -> None:
    """The same headers as an answer of any other address, for each way to answer."""
    for answer in (proxy.ask(scene.path(), token=scene.token, X_Request_ID="from-the-proxy"), proxy.ask(scene.path())):
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers
        elsewhere = proxy.ask("/api/auth/me").headers
        assert {name: answer.headers.get(name) for name in PROTECTION} == {name: elsewhere[name] for name in PROTECTION}
    assert proxy.ask(scene.path(), token=scene.token, X_Request_ID="from-the-proxy").headers["X-Request-ID"] == (
        "from-the-proxy"
    )
    assert len(proxy.ask(scene.path(), token=scene.token, X_Request_ID="no\tid").headers["X-Request-ID"]) == 32


PROTECTION = (
    *("X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Content-Security-Policy", "Permissions-Policy"),
    *("Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Cache-Control"),
)


# --- Who is refused ---------------------------------------------------------------------------------------------------


def test_nobody_is_let_in_without_a_token_that_counts(proxy: Proxy, scene: Scene) -> None:
    nobody = proxy.ask(scene.path())
    assert (nobody.error, nobody.headers["WWW-Authenticate"]) == ((401, "authentication_required"), "Bearer")
    header, payload, signature = scene.token.split(".")
    tampered = f"{header}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    refused = proxy.ask(scene.path(), token=tampered)
    assert (refused.error, refused.headers["WWW-Authenticate"]) == (
        (401, "invalid_token"),
        'Bearer error="invalid_token"',
    )
    assert proxy.ask(scene.path(), token="nonsense").error == (401, "invalid_token"), "nginx makes a 500 of a 400"
    assert proxy.ask(scene.path(), token=factories.session(scene.user).refresh).error == (401, "invalid_token")
    key = factories.api_key(scene.customer)[1]
    assert proxy.ask(scene.path(), token=key).error == (401, "authentication_required")
    old = factories.session(scene.user, now=timezone.now() - timedelta(hours=8)).access
    assert proxy.ask(scene.path(), token=old).error == (401, "token_expired")


def test_a_header_that_says_two_things_or_another_is_no_token(proxy: Proxy, scene: Scene) -> None:
    """granian joins several of a name by a comma: which of them another server would look at is not guessed."""
    one, other = f"Bearer {scene.token}", "Basic YWRhOnBhc3N3b3Jk"
    for header in (f"{one},{one}", f"{other},{one}", f"{one} {scene.token}", other, scene.token, "Bearer ", ""):
        assert proxy.ask(scene.path(), Authorization=header).status == 401, header


def test_a_token_in_the_query_or_the_body_counts_for_nothing(proxy: Proxy, scene: Scene) -> None:
    assert proxy.ask(scene.path(f"access_token={scene.token}")).error == (400, "validation_error")


Take = Callable[[Scene, TokenPair], object]
TAKEN: dict[str, tuple[Take, tuple[int, str]]] = {
    "signed out": (
        lambda scene, pair: sessions.end_one(
            customer_id=scene.customer.id,
            user_id=scene.user.id,
            session_id=pair.session_id,
            reason=sessions.EndReason.LOGOUT,
            context=factories.context(),
        ),
        (401, "session_ended"),
    ),
    "deactivated": (
        lambda scene, _: users.deactivate(scene.user, context=factories.context(factories.ACTOR)),
        (401, "user_inactive"),
    ),
    "suspended": (
        lambda scene, _: customers.suspend(scene.customer, context=factories.context(factories.ACTOR)),
        (403, "customer_suspended"),
    ),
    "emergency": (
        lambda scene, _: emergency_rotation.rotate_in_emergency(
            scene.customer, context=factories.context(factories.ACTOR)
        ),
        (401, "invalid_token"),
    ),
    "without the permission": (
        lambda scene, _: roles.change(
            Role.objects.get(customer=scene.customer), permissions=[], context=factories.context(factories.ACTOR)
        ),
        (403, "permission_denied"),
    ),
    "elsewhere": (
        lambda scene, _: factories.policy(scene.customer, enforce_allowlist_on_tokens=True),
        (403, "ip_not_allowed"),
    ),
}


@pytest.mark.parametrize("what", sorted(TAKEN))
def test_what_was_taken_away_bites_at_the_next_request(proxy: Proxy, scene: Scene, what: str) -> None:
    """C3.4: however warm everything was."""
    take, refusal = TAKEN[what]
    customers.replace_allowlist(
        customer=scene.customer, networks={"203.0.113.0/24": ""}, context=factories.context(factories.ACTOR)
    )
    pair = factories.session(scene.user)
    path = scene.path("permission=invoices.read")
    for _ in range(3):
        assert proxy.ask(path, token=pair.access).status == 204
    take(scene, pair)
    hold_back.wait()
    assert proxy.ask(path, token=pair.access).error == refusal


# --- Whose users ------------------------------------------------------------------------------------------------------


def test_another_customers_user_is_not_let_in(proxy: Proxy, scene: Scene) -> None:
    """C1.5: by slug, by id, and by saying nothing, which means the default customer."""
    stranger = factories.session(factories.user(scene.other)).access
    for demand in (f"?customer={scene.customer.slug}", f"?customer={scene.customer.id}", ""):
        assert proxy.ask(f"/verify{demand}", token=stranger).error == (401, "invalid_token")
    mine = f"?customer={scene.other.id}"
    assert proxy.ask(f"/verify{mine}", token=stranger).told[CUSTOMER] == str(scene.other.id)


def test_without_a_customer_the_default_one_is_meant(proxy: Proxy) -> None:
    default = Customer.objects.get(id=DEFAULT_CUSTOMER_ID)
    token = factories.session(factories.user(default)).access
    assert proxy.ask("/verify", token=token).told[CUSTOMER] == str(DEFAULT_CUSTOMER_ID)


def test_an_app_for_everybody_says_so_and_is_told_whose_user_it_is(proxy: Proxy, scene: Scene) -> None:
    for customer in (scene.customer, scene.other):
        token = factories.session(factories.user(customer, "eve@example.com")).access
        assert proxy.ask("/verify?customer=*", token=token).told[CUSTOMER] == str(customer.id)


def test_a_slug_in_the_form_of_an_id_is_not_taken_for_that_customer(proxy: Proxy, scene: Scene) -> None:
    """Whoever may choose a slug could choose another customer's id."""
    impostor = factories.customer(slug=str(scene.customer.id))
    token = factories.session(factories.user(impostor)).access
    assert proxy.ask(f"/verify?customer={scene.customer.id}", token=token).error == (401, "invalid_token")


def test_a_key_that_the_client_sends_along_names_no_customer(proxy: Proxy, scene: Scene) -> None:
    """nginx passes every header of the client on: a key of its own customer must not open another's app."""
    stranger = factories.session(factories.user(scene.other)).access
    key = factories.api_key(scene.other)[1]
    assert proxy.ask("/verify", token=stranger, X_OTP_API_Key=key).error == (401, "invalid_token")
    assert proxy.ask(scene.path(), token=scene.token, X_OTP_API_Key=key).error == (401, "invalid_api_key")
    own = factories.api_key(scene.customer)[1]
    assert proxy.ask(scene.path(), token=scene.token, X_OTP_API_Key=own).status == 204


# --- Demands ----------------------------------------------------------------------------------------------------------


def test_every_permission_and_the_role_that_is_demanded(proxy: Proxy, scene: Scene) -> None:
    met = ("permission=invoices.read", "permission=invoices.write", "role=auditor")
    for demands in (*((each,) for each in met), met):
        assert proxy.ask(scene.path(*demands), token=scene.token).status == 204
    for demands in (
        ("permission=invoices.delete",),
        ("role=admin",),
        (*met, "permission=users.read"),
        (*met[:2], "role=x"),
    ):
        assert proxy.ask(scene.path(*demands), token=scene.token).error == (403, "permission_denied")


def test_who_lacks_the_role_admin_has_tried_to_rise(proxy: Proxy, scene: Scene) -> None:
    """C4: as anywhere else, once a minute; any other lack is none."""
    events = Event.objects.filter(action="role_escalation_attempt")
    proxy.ask(scene.path("role=other"), token=scene.token)
    assert not events.exists()
    for _ in range(2):
        proxy.ask(scene.path("role=admin"), token=scene.token)
    assert [event.actor for event in events] == [actors.user(scene.user.id)]


def test_a_pending_user_has_no_role_and_no_permissions(proxy: Proxy, scene: Scene) -> None:
    User.objects.filter(id=scene.user.id).update(status="pending")
    token = factories.session(User.objects.get(id=scene.user.id)).access
    told = proxy.ask(scene.path(), token=token).told
    assert (told[ROLE], told[PERMISSIONS]) == ("", "")
    for demand in ("role=auditor", "permission=invoices.read"):
        assert proxy.ask(scene.path(demand), token=token).error == (403, "permission_denied")


def test_a_proof_that_is_too_old_is_challenged(proxy: Proxy, scene: Scene) -> None:
    """RFC 9470: every one of the three proxies passes a 401 and its challenge on."""
    token = factories.session(scene.user, now=timezone.now() - timedelta(minutes=5)).access
    assert proxy.ask(scene.path("max_age=600"), token=token).status == 204
    refused = proxy.ask(scene.path("max_age=60"), token=token)
    assert refused.error == (401, "insufficient_user_authentication")
    assert refused.headers["WWW-Authenticate"] == 'Bearer error="insufficient_user_authentication", max_age="60"'
    lacking = proxy.ask(scene.path("max_age=60", "role=other"), token=token)
    assert lacking.error == (403, "permission_denied"), "a new proof would be in vain"


def test_an_unknown_or_malformed_demand_is_never_ignored(proxy: Proxy) -> None:
    """Whoever asks: a typo in a proxy's configuration is found at once."""
    for query in MALFORMED:
        for token in (None, "x.y.z"):
            assert proxy.ask(f"/verify?{query}", token=token).error == (400, "validation_error"), query


def test_what_is_wrong_is_said_in_the_language_of_the_request(proxy: Proxy) -> None:
    """And not in that of the request before it in the same thread."""
    for language, text in (("de", "Das kann nicht verlangt werden."), ("en", "This cannot be demanded.")):
        refused = proxy.ask("/verify?x=1", Accept_Language=language)
        assert json.loads(refused.body)["error"]["fields"] == {"x": [text]}


MALFORMED = [
    *("x=1", "permissions=a", "Permission=a", "permission[]=a", "=a", "permission", "customer", "&", "a&b", "%"),
    *("permission=", "permission=A", "permission=a%20b", "permission=a,b", "permission=a b", "permission=.a"),
    *("permission=a.", "permission=a%0d%0aX:1", "permission=%00", "permission=%ff", "permission=" + "a" * 65),
    *("role=", "role=a&role=a", "role=a.b", "role=*", "role=A", "role=%C3%A4", "role=a%0a"),
    *("max_age=", "max_age=-1", "max_age=1.5", "max_age=x", "max_age=1&max_age=9", "max_age=" + "9" * 10),
    *("max_age=%D9%A3", "max_age=1%0a", "customer=", "customer=A", "customer=a&customer=b", "customer=**"),
    *("customer=a%2fb", "customer=-a", "customer=" + "a" * 64, "customer=a%0a", "&".join(["permission=a"] * 21)),
    *("customer=acme;permission=a", "permission=a&x"),
]


# --- Where the view is not needed -------------------------------------------------------------------------------------


def test_a_yes_from_memory_costs_nothing_and_does_not_come_to_django(scene: Scene) -> None:
    shortcut = Proxy(ForwardAuthShortcut(nothing_behind))
    path = scene.path("permission=invoices.read", "role=auditor", "max_age=600")
    assert shortcut.ask(path, token=scene.token).status == 204, "cold too"
    with counted() as cost:
        assert shortcut.ask(path, token=scene.token).status == 204
    assert (cost.statements, cost.transactions, cost.round_trips) == ([], 0, 0)


def test_a_connection_that_postgresql_has_ended_is_not_used(scene: Scene) -> None:
    """The shortcut lets go of it as Django does at the end of a request, so that it is checked before its next use."""
    shortcut = Proxy(ForwardAuthShortcut(nothing_behind))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (process,) = cursor.fetchone()
    forget_everything()
    assert shortcut.ask(scene.path(), token=scene.token).status == 204
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as another:
        another.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
    forget_everything()
    assert shortcut.ask(scene.path(), token=scene.token).status == 204


def test_both_answer_alike(scene: Scene) -> None:
    """A yes bears the same headers and a refusal is the view's."""
    view, shortcut = WSGIHandler(), ForwardAuthShortcut(WSGIHandler())
    for path in (scene.path(), f"/verify/customer={scene.customer.slug}/invoices"):
        first, second = (Proxy(each).ask(path, token=scene.token) for each in (view, shortcut))
        assert first.status == second.status
        assert {**first.headers, **IRRELEVANT} == {**second.headers, **IRRELEVANT}


IRRELEVANT = dict.fromkeys(("X-Request-ID", "Vary", "Content-Language", "Allow", "Content-Length"), "")


def test_over_tls_the_shortcut_leaves_out_what_is_for_browsers(scene: Scene) -> None:
    """Of a yes: it goes to a proxy. A refusal is the view's, and has them."""
    with override_settings(**PRODUCTION):
        view, shortcut = (Proxy(each, address=PROXY) for each in (WSGIHandler(), ForwardAuthShortcut(WSGIHandler())))
        yes = [set(each.ask(scene.path(), token=scene.token, **OVER_TLS).headers) for each in (view, shortcut)]
        no = [set(each.ask(scene.path(), **OVER_TLS).headers) for each in (view, shortcut)]
    assert yes[0] ^ yes[1] == {"Strict-Transport-Security", "Vary", "Content-Language", "Allow"}
    assert yes[0] > yes[1]
    assert no[0] == no[1]


def test_nothing_else_is_answered_by_the_shortcut(scene: Scene) -> None:
    for path in ("/verifyx", "/verify/customer=a", "/api/auth/me", "/", "/xverify/a/b", "/api/verify"):
        with pytest.raises(AssertionError, match="passed the request on"):
            Proxy(ForwardAuthShortcut(nothing_behind)).ask(path, token=scene.token)


def test_no_header_is_ever_missing(proxy: Proxy, scene: Scene) -> None:
    """Envoy leaves the client's own where ours is missing."""
    user = factories.user(scene.customer, "bob@example.com")
    assert set(proxy.ask(scene.path(), token=factories.session(user).access).told) == set(TOLD)
