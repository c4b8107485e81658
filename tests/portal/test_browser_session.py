"""Who is signed in at the hosted pages: what the cookie is worth, and which forms are our own."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from apps.accounts import deactivation
from apps.core.context import RequestContext
from apps.customers.models import Customer
from apps.portal import browser_session, own_origin
from apps.portal.browser_session import SignedInHere
from apps.tokens import fresh_proof
from apps.tokens.errors import CrossSiteRequest
from apps.tokens.minting import TokenPair
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
OURS = "https://auth.example.test"


def read(
    of: Customer, token: str, context: RequestContext | None = None, *, under: Customer | None = None
) -> SignedInHere | None:
    """What the pages of a customer find in the cookie (`under`: of that customer's name)."""
    request = RequestFactory().get("/")
    request.COOKIES[browser_session.cookie_name((under or of).id)] = token
    return browser_session.read(request, factories.state_of(of), context or factories.context())


def test_the_cookie_says_who_is_signed_in_and_how_it_was_proven() -> None:
    customer = factories.customer()
    user = factories.user(customer)
    pair = factories.session(user, delivery="hosted", amr=("pwd", "mfa"))
    found = read(customer, pair.refresh)
    assert found is not None
    assert (found.user.id, found.session_id, found.proof.amr) == (user.id, pair.session_id, ("pwd", "mfa"))


def test_the_cookie_is_out_of_reach_of_scripts_other_sites_and_other_customers() -> None:
    customer, response = factories.customer(), HttpResponse()
    pair = factories.session(factories.user(customer), delivery="hosted")
    browser_session.put(response, pair, factories.state_of(customer))
    name, morsel = next(iter(response.cookies.items()))
    assert name == f"__Host-gatehouse_hosted_{customer.id.hex[:12]}"
    assert (morsel["secure"], morsel["httponly"], morsel["samesite"], morsel["path"], morsel["domain"]) == (
        True,
        True,
        "Lax",
        "/",
        "",
    )
    assert 0 < morsel["max-age"] <= customer.refresh_lifetime
    browser_session.clear(response, factories.state_of(customer))
    assert response.cookies[name]["max-age"] == 0


def test_it_is_worth_nothing_elsewhere() -> None:
    """C1.5; and tokens of other kinds are no sessions of these pages."""
    customer, other = factories.customer(), factories.customer()
    user = factories.user(customer)
    hosted = factories.session(user, delivery="hosted")
    assert read(other, hosted.refresh) is None
    assert read(customer, hosted.refresh, under=other) is None
    assert read(customer, hosted.access) is None
    assert read(customer, factories.session(user, delivery="body").refresh) is None
    assert read(customer, factories.session(user, delivery="cookie").refresh) is None
    for text in ("", "x", hosted.refresh[:-2], hosted.refresh + "\n"):
        assert read(customer, text) is None


def test_it_ends_with_its_session_and_with_its_user() -> None:
    """C3.4."""
    customer = factories.customer()
    user = factories.user(customer)
    first, second = (factories.session(user, delivery="hosted") for _ in range(2))
    here = read(customer, first.refresh)
    assert here
    for _ in range(2):  # signing out twice is no error
        browser_session.end(here, factories.state_of(customer), factories.context())
    assert read(customer, first.refresh) is None
    assert read(customer, second.refresh)
    deactivation.deactivate(user, context=factories.context("system"))
    assert read(customer, second.refresh) is None


def test_a_fresh_proof_replaces_it_and_requests_under_way_go_on() -> None:
    customer = factories.customer(refresh_grace=60)
    user = factories.user(customer)
    a_minute_ago = timezone.now() - timedelta(minutes=1)
    old = factories.session(user, delivery="hosted", now=a_minute_ago)
    new = proven(old, customer)
    assert new.refresh != old.refresh
    assert read(customer, new.refresh)
    assert read(customer, old.refresh)
    later = factories.context(now=timezone.now() + timedelta(seconds=61))
    assert read(customer, old.refresh, later) is None
    assert read(customer, new.refresh, later)


def test_where_there_is_no_grace_a_replaced_one_is_worth_nothing_at_once() -> None:
    """C3.6: also for a request that began a moment before."""
    customer = factories.customer(refresh_grace=0)
    old = factories.session(factories.user(customer), delivery="hosted", now=timezone.now() - timedelta(minutes=1))
    proven(old, customer)
    assert read(customer, old.refresh, factories.context(now=timezone.now() - timedelta(seconds=5))) is None


def proven(pair: TokenPair, customer: Customer) -> TokenPair:
    here = read(customer, pair.refresh)
    assert here
    state, now = factories.state_of(customer), timezone.now()
    with transaction.atomic():
        return fresh_proof.renew(customer=state, user=here.user, session_id=here.session_id, amr=("pwd",), now=now)


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({"Origin": OURS}, True),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, True),  # Referrer-Policy: no-referrer
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, False),  # a sandboxed frame elsewhere
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, False),
        ({"Origin": "https://auth.example.test.evil.example"}, False),
        ({"Origin": "http://auth.example.test"}, False),
        ({"Referer": f"{OURS}/"}, False),
    ],
)
def test_forms_are_taken_from_our_own_pages_alone(headers: dict[str, str], is_ours: bool) -> None:
    request = RequestFactory(headers=headers).post("/")
    if is_ours:
        own_origin.require_own_page(request)
    else:
        with pytest.raises(CrossSiteRequest):
            own_origin.require_own_page(request)
    own_origin.require_own_page(RequestFactory(headers=headers).get("/"))
