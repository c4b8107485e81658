"""C1.7: addresses with a fixed code until a date, for app-store review."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from apps.audit.models import Event
from apps.core.errors import ValidationFailed
from apps.customers.models import Customer
from apps.mail.models import Message, MessageState
from apps.otp import fixed_codes
from apps.otp.models import FixedCode
from apps.tokens.models import Session
from tests import factories
from tests.conftest import MakeClient

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "review@example.com"
CODE = "424242"


def listed(customer: Customer, *, until: datetime | None = None, code: str = CODE) -> FixedCode:
    return fixed_codes.add(
        customer=customer,
        email=EMAIL,
        code=code,
        valid_until=until or timezone.now() + timedelta(days=1),
        context=factories.context("operator:o@x"),
    )


def test_the_fixed_code_signs_in_and_no_mail_goes_out(client_for: MakeClient) -> None:
    customer = factories.customer()
    listed(customer)
    client = client_for(customer)
    assert client.request_otp("Review@Example.com").status == 200
    assert Message.objects.get().state == MessageState.SUPPRESSED
    assert client.verify_otp(EMAIL, CODE).status == 200


def test_each_use_is_an_event(client_for: MakeClient) -> None:
    customer = factories.customer()
    listed(customer)
    client = client_for(customer)
    for _ in range(2):
        client.request_otp(EMAIL)
        assert client.verify_otp(EMAIL, CODE).status == 200
    assert Event.objects.filter(action="fixed_code_used", customer_id=customer.id).count() == 2
    assert Event.objects.filter(action="sign_in").count() == 2


def test_it_must_be_asked_for_first_and_works_once(client_for: MakeClient) -> None:
    customer = factories.customer()
    listed(customer)
    client = client_for(customer)
    assert client.verify_otp(EMAIL, CODE).error_type == "invalid_otp"
    client.request_otp(EMAIL)
    assert client.verify_otp(EMAIL, CODE).status == 200
    assert client.verify_otp(EMAIL, CODE).error_type == "invalid_otp"


def test_limits_hold_for_fixed_codes_too(client_for: MakeClient) -> None:
    customer = factories.customer(code_resend_after=0)
    listed(customer)
    client = client_for(customer)
    assert [client.request_otp(EMAIL).status for _ in range(6)] == [200] * 5 + [429]
    for _ in range(5):
        assert client.verify_otp(EMAIL, "000000").error_type == "invalid_otp"
    other_network = client_for(customer, ip="198.51.100.9")
    assert other_network.verify_otp(EMAIL, CODE).error_type == "invalid_otp"  # the budget is spent


def test_never_for_an_admin(client_for: MakeClient) -> None:
    customer = factories.customer()
    factories.user(customer, EMAIL, role="admin")
    listed(customer)
    client = client_for(customer)
    client.request_otp(EMAIL)
    assert Message.objects.get().state == MessageState.QUEUED  # a code like everybody's
    assert client.verify_otp(EMAIL, CODE).error_type == "invalid_otp"


def test_not_for_one_who_has_become_an_admin_since_asking(client_for: MakeClient) -> None:
    customer = factories.customer()
    user = factories.user(customer, EMAIL)
    listed(customer)
    client = client_for(customer)
    client.request_otp(EMAIL)
    user.role = "admin"
    user.save()
    assert client.verify_otp(EMAIL, CODE).error_type == "invalid_otp"
    assert not Session.objects.exists()


def test_only_until_its_date(client_for: MakeClient) -> None:
    customer = factories.customer()
    listed(customer, until=timezone.now() - timedelta(seconds=1))
    client = client_for(customer)
    client.request_otp(EMAIL)
    assert Message.objects.get().state == MessageState.QUEUED
    assert client.verify_otp(EMAIL, CODE).error_type == "invalid_otp"


def test_only_at_the_customer_that_lists_it(client_for: MakeClient) -> None:
    one, other = factories.customer(), factories.customer()
    listed(one)
    client = client_for(other)
    client.request_otp(EMAIL)
    assert client.verify_otp(EMAIL, CODE).error_type == "invalid_otp"


def test_taken_off_the_list_it_is_over_at_once(client_for: MakeClient) -> None:
    customer = factories.customer(code_resend_after=0)
    row = listed(customer)
    client = client_for(customer)
    client.request_otp(EMAIL)
    client.verify_otp(EMAIL, CODE)
    fixed_codes.remove(row, context=factories.context("operator:o@x"))
    client.request_otp(EMAIL)
    assert client.verify_otp(EMAIL, CODE).error_type == "invalid_otp"
    customer.refresh_from_db()
    assert not customer.has_fixed_codes


def test_listing_an_address_anew_replaces_its_code(client_for: MakeClient) -> None:
    customer = factories.customer()
    listed(customer)
    listed(customer, code="98765432")
    client = client_for(customer)
    client.request_otp(EMAIL)
    assert client.verify_otp(EMAIL, CODE).error_type == "invalid_otp"
    assert client.verify_otp(EMAIL, "98765432").status == 200


@pytest.mark.parametrize("code", ["", "123", "1 2-3", "12345678901", "12!34", "schl\u00fcssel"])
def test_a_code_nobody_could_type_is_refused(code: str) -> None:
    customer = factories.customer()
    with pytest.raises(ValidationFailed):
        listed(customer, code=code)
    assert not FixedCode.objects.exists()


def test_neither_the_row_nor_its_event_holds_the_code() -> None:
    """C2.4: sealed at rest, and in no audit event."""
    row = listed(factories.customer())
    assert CODE not in row.code
    assert CODE not in str(list(Event.objects.values()))


def test_with_an_erased_user_its_address_goes_from_the_list_and_is_in_no_event(client_for: MakeClient) -> None:
    customer = factories.customer()
    row = listed(customer)
    client = client_for(customer)
    client.request_otp(EMAIL)
    token = client.verify_otp(EMAIL, CODE).document["access_token"]
    assert client.delete("/api/auth/me", token=token).status == 200
    assert not FixedCode.objects.exists()
    assert EMAIL not in str(list(Event.objects.values()))
    assert Event.objects.get(action="policy_changed").details == {"fixed_codes": {"added": str(row.id)}}
    assert not factories.state_of(customer).has_fixed_codes
