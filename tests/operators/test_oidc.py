"""Operators sign in at an OpenID Connect provider: strictly, and only those who exist or were invited."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from joserfc.jwk import OctKey

from apps.audit.models import Event
from apps.operators.models import OperatorIdentity
from apps.operators.sign_in import oidc
from tests.operators import provider as providers
from tests.operators.enrolling import app_of, code_of, wrong_code_of
from tests.operators.provider import CLIENT_ID, OTHER_KEY, SECRET, Provider
from tests.operators.signing_in import AS_AUDITOR, LOGIN, is_in, operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
START, CALLBACK, FACTOR = "/admin/oidc/", "/admin/oidc/callback/", "/admin/oidc/second-factor/"


@pytest.fixture
def provider(settings: object) -> Iterator[Provider]:
    oidc._registered.cache_clear()
    with providers.running() as started:
        settings.OPERATOR_OIDC_ISSUER = started.url  # type: ignore[attr-defined]
        settings.OPERATOR_OIDC_CLIENT_ID = CLIENT_ID  # type: ignore[attr-defined]
        settings.OPERATOR_OIDC_CLIENT_SECRET = SECRET  # type: ignore[attr-defined]
        yield started


def come_back(provider: Provider, browser: Client, *, leads_to: str = "") -> str:
    """Through the provider. Returns where the callback leads; empty if it is refused."""
    away = browser.get(START, {"next": leads_to}).headers["Location"]
    answer = browser.get(f"{CALLBACK}?{provider.authorize(away)}")
    return str(answer.headers.get("Location", ""))


def test_an_operator_signs_in_with_code_pkce_state_and_nonce(provider: Provider) -> None:
    who, browser = operator(), Client()
    asked = parse_qs(urlsplit(browser.get(START).headers["Location"]).query)
    assert (asked["response_type"], asked["code_challenge_method"]) == (["code"], ["S256"])
    assert asked["state"] != asked["nonce"]
    assert asked["redirect_uri"] == ["https://auth.example.test/admin/oidc/callback/"]
    assert come_back(provider, browser) == "/admin/"
    assert is_in(browser)
    assert OperatorIdentity.objects.get().operator_id == who.pk
    names = Event.objects.filter(actor="operator:ops@example.com").values_list("action", flat=True)
    assert {"operator_identity_bound", "operator_signed_in"} <= set(names)


BENT = {
    "signed by another key": {"signing_key": OTHER_KEY},
    "not signed": {"algorithm": "none"},
    "signed by the client's secret": {"algorithm": "HS256", "signing_key": OctKey.import_key(SECRET * 2)},
    "of another issuer": {"claims": {"iss": "https://evil.example"}},
    "for another client": {"claims": {"aud": "another"}},
    "for another party": {"claims": {"aud": [CLIENT_ID, "another"], "azp": "another"}},
    "with another nonce": {"claims": {"nonce": "another"}},
    "without a nonce": {"claims": {"nonce": None}},
    "expired": {"claims": {"exp": 1}},
    "from the future": {"claims": {"nbf": 9999999999}},
    "of nobody": {"claims": {"sub": ""}},
    "of a number": {"claims": {"sub": 7}},
    "with an address that is not verified": {"claims": {"email_verified": False}},
    "with an address that is verified by a word": {"claims": {"email_verified": "true"}},
    "of a stranger": {"claims": {"email": "stranger@example.com"}},
}


@pytest.mark.parametrize("name", BENT)
def test_what_does_not_hold_signs_nobody_in(provider: Provider, name: str) -> None:
    operator()
    for attribute, value in BENT[name].items():
        setattr(provider, attribute, value)
    browser = Client()
    assert come_back(provider, browser) == ""
    assert not is_in(browser)
    assert not OperatorIdentity.objects.exists()
    assert User.objects.count() == 1, "nobody is made silently"
    assert Event.objects.filter(action="operator_sign_in_failed").count() == 1


TOLD = {"sub": "subject-1", "email": "ops@example.com", "email_verified": True}


@pytest.mark.parametrize(
    ("told", "is_let_in"),
    [
        (TOLD, True),
        ({**TOLD, "sub": "subject-2"}, False),
        ({**TOLD, "email_verified": False}, False),
        ({"sub": "subject-1"}, False),
        ({"email": "ops@example.com", "email_verified": True}, False),
    ],
)
def test_an_address_that_is_not_in_the_id_token_is_asked_for(
    provider: Provider, told: dict[str, object], is_let_in: bool
) -> None:
    """OpenID Connect Core 5.4: where there is an access token, claims of a scope may be at UserInfo alone."""
    operator()
    provider.claims = {"email": None, "email_verified": None}
    provider.metadata = {"userinfo_endpoint": f"{provider.url}/userinfo"}
    provider.userinfo = told
    browser = Client()
    assert bool(come_back(provider, browser)) is is_let_in
    assert is_in(browser) is is_let_in


def test_metadata_of_another_issuer_are_refused(provider: Provider) -> None:
    """Mix-up: metadata that name another issuer than the one that is configured."""
    operator()
    provider.metadata = {"issuer": "https://evil.example"}
    assert Client().get(START).status_code == 403


@pytest.mark.parametrize("change", ["another issuer", "no issuer", "another state", "no state", "another session"])
def test_an_answer_belongs_to_its_own_question(provider: Provider, change: str) -> None:
    """RFC 9207 and RFC 6749 section 10.12: answers of another provider, or for another browser."""
    operator()
    browser = Client()
    query = provider.authorize(browser.get(START).headers["Location"])
    parts = {name: values[0] for name, values in parse_qs(query).items()}
    if change == "another session":
        browser = Client()
    elif change.startswith("another"):
        parts[{"another issuer": "iss", "another state": "state"}[change]] = "https://evil.example"
    else:
        del parts[{"no issuer": "iss", "no state": "state"}[change]]
    assert browser.get(CALLBACK, parts).status_code == 403
    assert not is_in(browser)


def test_an_answer_is_good_once(provider: Provider) -> None:
    operator()
    browser = Client()
    query = provider.authorize(browser.get(START).headers["Location"])
    assert browser.get(f"{CALLBACK}?{query}").status_code == 302
    assert browser.get(f"{CALLBACK}?{query}").status_code == 403
    assert len(provider.exchanges) == 1


def test_two_tabs_do_not_spoil_each_other(provider: Provider) -> None:
    operator()
    browser = Client()
    first, _second = (browser.get(START).headers["Location"] for _ in range(2))
    assert browser.get(f"{CALLBACK}?{provider.authorize(first)}").status_code == 302
    assert is_in(browser)


def test_the_subject_counts_from_then_on_and_not_the_address(provider: Provider) -> None:
    """Addresses are handed on: who gets one later is somebody else."""
    operator()
    assert come_back(provider, Client())
    provider.claims = {"sub": "subject-2"}
    assert not come_back(provider, Client())
    provider.claims = {"email": "renamed@example.com"}
    assert come_back(provider, Client())


def test_who_may_not_sign_in_here_may_not_there(provider: Provider) -> None:
    who = operator()
    assert come_back(provider, Client())
    User.objects.filter(pk=who.pk).update(is_active=False)
    assert not come_back(provider, Client())


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example/", "/admin/../../x", "/portal/", "javascript:1"]
)
def test_the_way_back_leads_to_no_other_place(provider: Provider, address: str) -> None:
    operator()
    assert come_back(provider, Client(), leads_to=address) in ("/admin/", "/admin/../../x")


def test_the_page_that_was_asked_for_comes_next(provider: Provider) -> None:
    operator()
    assert come_back(provider, Client(), leads_to="/admin/users/user/?q=1") == "/admin/users/user/?q=1"


def test_the_second_factor_is_asked_for_all_the_same(provider: Provider) -> None:
    device, browser = app_of(operator()), Client()
    provider.claims = {"amr": ["pwd", "mfa"], "acr": "high"}
    assert come_back(provider, browser, leads_to="/admin/users/user/") == FACTOR
    assert not is_in(browser)
    assert browser.get(LOGIN).headers["Location"] == FACTOR
    assert browser.post(FACTOR, {"code": wrong_code_of(device)}).status_code == 200
    assert not is_in(browser)
    assert browser.post(FACTOR, {"code": code_of(device)}).headers["Location"] == "/admin/users/user/"
    assert is_in(browser)


@pytest.mark.parametrize(
    ("claims", "is_enough"), [({"amr": ["mfa"]}, True), ({"acr": "mfa"}, True), ({"amr": ["pwd"]}, False)]
)
def test_the_providers_own_counts_where_that_is_configured(
    provider: Provider, settings: object, claims: dict[str, object], is_enough: bool
) -> None:
    settings.OPERATOR_OIDC_SECOND_FACTOR = ["mfa"]  # type: ignore[attr-defined]
    app_of(operator())
    provider.claims = claims
    browser = Client()
    come_back(provider, browser)
    assert is_in(browser) == is_enough


def test_where_it_is_required_and_nobody_has_asked_it_is_enrolled_first(provider: Provider, settings: object) -> None:
    settings.OPERATOR_SECOND_FACTOR_REQUIRED = True  # type: ignore[attr-defined]
    operator()
    browser = Client()
    come_back(provider, browser)
    assert not is_in(browser)
    assert browser.get(LOGIN).headers["Location"] == "/admin/second-factor/"


def test_passwords_can_be_switched_off(provider: Provider, settings: object) -> None:
    settings.OPERATOR_PASSWORD_SIGN_IN = False  # type: ignore[attr-defined]
    operator()
    assert not is_in(sign_in())
    page = Client().get(LOGIN).content.decode()
    assert 'type="password"' not in page
    assert START in page
    assert Client().get("/admin/forgotten-password/").status_code == 404
    browser = Client()
    come_back(provider, browser)
    assert is_in(browser)


def test_an_invited_operator_comes_in_without_a_password(provider: Provider) -> None:
    operator("boss@example.com")
    sign_in("boss@example.com").post("/admin/auth/user/add/", {"email": "ops@example.com", **AS_AUDITOR})
    browser = Client()
    assert come_back(provider, browser)
    assert is_in(browser)
    assert not User.objects.get(username="ops@example.com").has_usable_password()


def test_without_a_provider_there_is_no_such_way(settings: object) -> None:
    operator()
    for page in (START, CALLBACK, FACTOR):
        assert Client().get(page).status_code == 404
    assert START not in Client().get(LOGIN).content.decode()


def test_a_provider_that_is_down_is_said_in_a_sentence(provider: Provider, settings: object) -> None:
    operator()
    settings.OPERATOR_OIDC_ISSUER = "http://127.0.0.1:1"  # type: ignore[attr-defined]
    answer = Client().get(START)
    assert answer.status_code == 403
    assert "did not work" in answer.content.decode()
    assert Client().get(LOGIN).status_code == 200
