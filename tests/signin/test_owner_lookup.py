"""C4 login: with no API key an email that owns a customer signs in there, any other at the default customer."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.customers.models import DEFAULT_CUSTOMER_ID, Customer
from apps.mail.models import Message
from tests import factories
from tests.conftest import MakeClient
from tests.signin.entering import EMAIL, PASSWORD, login, member

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_owner_signs_in_at_its_own_customer_without_a_key(client_for: MakeClient) -> None:
    customer = factories.customer()
    user = member(customer, is_owner=True, role="admin")
    answer = login(client_for(None))
    assert answer.status == 200, answer.document
    assert answer.document["user"]["id"] == str(user.id)
    assert answer.document["user"]["customer_id"] == str(customer.id)


def test_anybody_else_signs_in_at_the_default_customer(client_for: MakeClient) -> None:
    member(factories.customer(), password="of another customer altogether")
    user = member(Customer.objects.get(id=DEFAULT_CUSTOMER_ID))
    answer = login(client_for(None))
    assert answer.document["user"]["id"] == str(user.id)


def test_whoever_signs_up_with_somebody_elses_address_does_not_get_in_the_way(client_for: MakeClient) -> None:
    mine, strangers = factories.customer(), factories.customer()
    user = member(mine, is_owner=True)
    unproven = member(strangers, is_owner=True, password="of the stranger")
    type(unproven).objects.filter(id=unproven.id).update(email_verified_at=None)
    assert login(client_for(None)).document["user"]["id"] == str(user.id)
    assert login(client_for(None), "of the stranger").status == 401


def test_signing_up_with_somebodys_address_leads_nobody_away_from_the_default_customer(client_for: MakeClient) -> None:
    """Anybody can sign up with any address: that must not lock out users of the default customer."""
    user = member(Customer.objects.get(id=DEFAULT_CUSTOMER_ID))
    strangers = {"email": EMAIL, "password": "of the stranger"}
    assert client_for(None, ip="198.51.100.9").before_sign_in("/api/auth/signup", strangers).status == 201
    assert login(client_for(None)).document["user"]["id"] == str(user.id)
    client_for(None).before_sign_in("/api/auth/forgot-password", {"email": EMAIL})
    assert Message.objects.get(kind="password_reset").customer_id == DEFAULT_CUSTOMER_ID


def test_nor_does_it_lead_away_who_was_imported_and_has_proven_nothing_yet(client_for: MakeClient) -> None:
    user = member(Customer.objects.get(id=DEFAULT_CUSTOMER_ID), email_verified_at=None)
    member(factories.customer(), is_owner=True, email_verified_at=None, password="of the stranger")
    assert login(client_for(None)).document["user"]["id"] == str(user.id)


def test_who_merely_registered_at_the_default_customer_stands_in_no_owners_way(client_for: MakeClient) -> None:
    factories.user(Customer.objects.get(id=DEFAULT_CUSTOMER_ID), EMAIL, status="pending")
    owner = member(factories.customer(), is_owner=True, email_verified_at=None)
    assert login(client_for(None)).document["user"]["id"] == str(owner.id)


def test_the_customer_proven_first_is_meant(client_for: MakeClient) -> None:
    first, second = factories.customer(), factories.customer()
    member(second, is_owner=True, password="of the second customer")
    user = member(first, is_owner=True)
    type(user).objects.filter(id=user.id).update(email_verified_at=timezone.now() - timedelta(days=1))
    assert login(client_for(None)).document["user"]["id"] == str(user.id)


def test_a_later_sign_up_leads_away_no_owner_who_has_proven_nothing_yet(client_for: MakeClient) -> None:
    document = {"email": EMAIL, "password": PASSWORD}
    assert client_for(None).before_sign_in("/api/auth/signup", document).status == 201
    stranger = client_for(None, ip="198.51.100.9")
    assert stranger.before_sign_in("/api/auth/signup", {**document, "password": "of the stranger"}).status == 201
    assert login(client_for(None, ip="192.0.2.9")).status == 200


def test_a_key_says_which_customer_whatever_the_address_owns(client_for: MakeClient) -> None:
    owned, other = factories.customer(), factories.customer()
    member(owned, is_owner=True)
    assert login(client_for(other), PASSWORD, EMAIL).status == 401


def test_a_suspended_customer_shows_only_to_who_knows_the_password(client_for: MakeClient) -> None:
    customer = factories.customer(status="suspended")
    member(customer, is_owner=True)
    assert login(client_for(None), "wrong horse").error_type == "invalid_credentials"
    assert login(client_for(None)).error_type == "customer_suspended"
