"""When Valkey is away, or a row is missing: no code is sent or accepted, and the answer says to come back."""

import pytest

from apps.audit.models import Event
from apps.core import valkey
from apps.core.valkey import ValkeyUnavailable
from apps.mail.models import Message
from apps.otp import code_requests
from apps.signin import by_code
from apps.tokens.models import Session
from apps.users.models import User
from tests import factories
from tests.conftest import MakeClient
from tests.engines import OwnValkey
from tests.otp.reading import newest_code, wrong_code
from tests.otp.test_limits_and_races import attempt, wish

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "ada@example.com"


def test_without_valkey_both_endpoints_answer_503(client_for: MakeClient, valkey_away: OwnValkey) -> None:
    """C6: endpoints that hand out or check codes answer 503, never unlimited."""
    client = client_for(factories.customer())
    client.request_otp(EMAIL)
    code, sent = newest_code(), Message.objects.count()
    valkey_away.kill()
    for answer in (client.request_otp("bob@example.com"), client.verify_otp(EMAIL, code)):
        assert (answer.status, answer.error_type) == (503, "temporarily_unavailable")
    assert Message.objects.count() == sent
    assert not Session.objects.exists()


def test_without_valkey_the_flows_themselves_refuse(client_for: MakeClient, valkey_away: OwnValkey) -> None:
    """Checking a code fails too, not only the replay check before it."""
    customer = factories.customer()
    client_for(customer).request_otp(EMAIL)
    mine, asked = attempt(customer, newest_code()), wish(customer, "bob@example.com")
    valkey_away.kill()
    with pytest.raises(ValkeyUnavailable):
        code_requests.request_code(asked)
    with pytest.raises(ValkeyUnavailable):
        by_code.sign_in(mine)
    assert not User.objects.exists()


def test_a_valkey_that_comes_back_goes_on(client_for: MakeClient, valkey_away: OwnValkey) -> None:
    client = client_for(factories.customer())
    valkey_away.kill()
    assert client.request_otp(EMAIL).status == 503
    valkey_away.start()
    assert client.request_otp(EMAIL).status == 200
    assert client.verify_otp(EMAIL, newest_code()).status == 200


def test_losing_what_valkey_held_costs_a_click_on_send_again(client_for: MakeClient) -> None:
    client = client_for(factories.customer())
    client.request_otp(EMAIL)
    lost = newest_code()
    valkey.client().flushdb()
    assert client.verify_otp(EMAIL, lost).error_type == "invalid_otp"
    client.request_otp(EMAIL)
    assert client.verify_otp(EMAIL, newest_code()).status == 200


def test_a_code_whose_mail_is_not_there_signs_nobody_in(client_for: MakeClient) -> None:
    """Its row was never committed, or an operator removed it: a refusal, not a 500."""
    client = client_for(factories.customer())
    client.request_otp(EMAIL)
    code = newest_code()
    Message.objects.all().delete()
    assert client.verify_otp(EMAIL, code).error_type == "invalid_otp"
    assert not Session.objects.exists()


def test_a_refused_code_is_counted_and_written_down(client_for: MakeClient) -> None:
    """C5: counting a failure is never undone by the failing request's own rollback."""
    customer = factories.customer()
    user = factories.user(customer, EMAIL)
    client = client_for(customer)
    client.request_otp(EMAIL)
    client.verify_otp(EMAIL, wrong_code(newest_code()))
    user.refresh_from_db()
    assert user.wrong_codes == 1
    event = Event.objects.get(action="code_rejected")
    assert (event.customer_id, event.outcome, event.ip) == (customer.id, "failure", "192.0.2.7")
