"""An attacker who knows a password guesses codes: the tries are limited, and they do not lock the user out."""

import pytest

from apps.audit.models import Event
from apps.customers.models import AllowedNetwork
from apps.mail.models import Message, MessageState
from apps.tokens.models import Session
from apps.users.models import User
from tests import factories
from tests.accounts.recovering import forgot, mailed_token, reset
from tests.conftest import MakeClient
from tests.otp.reading import newest_code, wrong_code
from tests.signin.entering import EMAIL, FRESH, PASSWORD, enrol_app, generous, login, member, second, send

pytestmark = pytest.mark.django_db(transaction=True)
OTHER_NETWORK = "198.51.100.3"


def test_five_tries_from_one_network_whatever_the_challenge(client_for: MakeClient) -> None:
    """C6: 5 codes tried in 15 minutes, per customer, user and network; however many challenges are opened."""
    customer = generous()
    factories.limit(customer, "tries_per_email_and_ip", 5)
    app = enrol_app(member(customer))
    client = client_for(customer)
    tokens = [login(client).document["session_token"] for _ in range(2)]
    for _ in range(5):
        assert second(client, tokens[0], "totp", code=wrong_code(app.now())).error_type == "invalid_otp"
    refused = second(client, tokens[1], "totp", code=app.now())
    assert (refused.error_type, refused.document["error"]["limit"]) == ("rate_limited", "tries_per_email_and_ip")
    elsewhere = second(client_for(customer, ip=OTHER_NETWORK), tokens[1], "totp", code=app.now())
    assert elsewhere.status == 200


@pytest.mark.parametrize("method", ["totp", "recovery_code", "email"])
def test_so_many_tries_a_day_from_all_networks(client_for: MakeClient, method: str) -> None:
    customer = generous()
    factories.limit(customer, "tries_per_email", 2, 86_400)
    enrol_app(member(customer))
    types = []
    for number in range(3):
        client = client_for(customer, ip=f"198.51.{number}.1")
        # The password is right each time, and would be counted too if both shared one log.
        factories.limit(customer, "tries_per_email", 1_000, 86_400)
        token = login(client).document["session_token"]
        factories.limit(customer, "tries_per_email", 2, 86_400)
        types.append(second(client, token, method, code="000000").error_type)
    assert types == ["invalid_otp", "invalid_otp", "rate_limited"]


def test_strangers_tries_are_not_counted_against_who_knows_the_password(client_for: MakeClient) -> None:
    customer = generous()
    user = member(customer)
    app = enrol_app(user)
    client = client_for(customer)
    token = login(client).document["session_token"]
    factories.limit(customer, "tries_per_email", 2, 86_400)  # the password was the first
    stranger = client_for(customer, ip=OTHER_NETWORK)
    assert [stranger.verify_otp(EMAIL, "000000").error_type for _ in range(2)] == ["invalid_otp", "rate_limited"]
    assert second(client, token, "totp", code=app.now()).status == 200


def test_strangers_requests_do_not_use_up_the_mails_of_who_knows_the_password(client_for: MakeClient) -> None:
    customer = generous(second_factor="required", code_resend_after=0)
    factories.limit(customer, "codes_per_email", 2)
    member(customer)
    stranger = client_for(customer, ip=OTHER_NETWORK)
    assert [stranger.request_otp(EMAIL).error_type for _ in range(3)] == [None, None, "rate_limited"]
    client = client_for(customer)
    types = [send(client, login(client).document["session_token"], "email").error_type for _ in range(3)]
    assert types == [None, None, "rate_limited"], "they are counted for the user, whatever the challenge"


def test_a_second_challenge_does_not_shorten_the_wait(client_for: MakeClient) -> None:
    customer = generous(second_factor="required")
    member(customer)
    client = client_for(customer)
    types = [send(client, login(client).document["session_token"], "email").error_type for _ in range(2)]
    assert types == [None, "resend_too_soon"]


def test_an_account_that_strangers_closed_to_codes_is_open_to_who_knows_the_password(client_for: MakeClient) -> None:
    """C6: after 100 wrong codes in a row no codes until a password clears it, so a code after the password works."""
    customer = generous(second_factor="required")
    user = member(customer, wrong_codes=100)
    client = client_for(customer)
    token = login(client).document["session_token"]
    assert send(client, token, "email").status == 200
    assert Message.objects.get().state != MessageState.SUPPRESSED
    assert second(client, token, "email", code=newest_code()).status == 200
    user.refresh_from_db()
    assert user.wrong_codes == 0


def test_after_a_hundred_wrong_second_factors_codes_are_taken_no_more(client_for: MakeClient) -> None:
    customer = generous()
    user = member(customer, wrong_second_factors=99)
    app = enrol_app(user)
    client = client_for(customer)
    token = login(client).document["session_token"]
    assert second(client, token, "totp", code=wrong_code(app.now())).error_type == "invalid_otp"
    assert second(client, token, "totp", code=app.now()).error_type == "method_not_offered"
    assert send(client, token, "email").error_type == "method_not_offered"
    assert login(client).document["methods"] == ["recovery_code"]
    assert not Session.objects.exists()


def test_a_reset_opens_it_to_codes_again(client_for: MakeClient) -> None:
    """The attacker who guessed knew the old password, and it has changed."""
    customer = generous()
    user = member(customer, wrong_second_factors=100)
    app = enrol_app(user)
    client = client_for(customer)
    forgot(client)
    assert reset(client, mailed_token()).status == 200
    token = login(client, FRESH).document["session_token"]
    assert second(client, token, "totp", code=app.now()).status == 200


def test_a_change_of_password_opens_it_to_codes_again(client_for: MakeClient) -> None:
    customer = generous()
    user = member(customer, wrong_second_factors=100)
    client, token = client_for(customer), factories.session(user).access
    changed = client.post("/api/auth/change-password", {"current_password": PASSWORD, "password": FRESH}, token=token)
    assert changed.status == 200, changed.document
    user.refresh_from_db()
    assert user.wrong_second_factors == 0


def test_a_sign_in_with_every_factor_breaks_the_row(client_for: MakeClient) -> None:
    customer = generous()
    user = member(customer, wrong_second_factors=7)
    app = enrol_app(user)
    client = client_for(customer)
    token = login(client).document["session_token"]
    user.refresh_from_db()
    assert user.wrong_second_factors == 7, "the password alone does not"
    assert second(client, token, "totp", code=app.now()).status == 200
    user.refresh_from_db()
    assert user.wrong_second_factors == 0


@pytest.mark.parametrize("method", ["totp", "recovery_code"])
def test_wrong_second_factors_sound_the_alarm(client_for: MakeClient, method: str) -> None:
    """C6: wrong codes of one customer's users; C8: code guessing."""
    customer = generous()
    factories.limit(customer, "wrong_codes_per_customer", 1)
    enrol_app(member(customer))
    client = client_for(customer)
    token = login(client).document["session_token"]
    for _ in range(3):
        assert second(client, token, method, code="000000").error_type == "invalid_otp"
    assert Event.objects.get(action="code_guessing").severity == "high"


def test_a_wrong_first_code_on_the_way_in_sounds_it_too(client_for: MakeClient, settings: object) -> None:
    """A failing request that rolls back does not take the alarm back."""
    settings.SMS_BACKEND = "apps.mail.sms_transports.Console"  # type: ignore[attr-defined]
    customer = generous(second_factor="required", code_resend_after=0)
    factories.user(customer, EMAIL)
    client = client_for(customer)
    client.request_otp(EMAIL)
    token = client.verify_otp(EMAIL, newest_code()).document["session_token"]
    factories.limit(customer, "wrong_codes_per_customer", 1)
    client.verify_otp("somebody@example.com", "000000")
    begun = {"session_token": token, "method": "sms", "phone": "+4915112345678"}
    assert client.before_sign_in("/api/auth/2fa/enrol", begun).status == 200
    assert second(client, token, "sms", code="000000").error_type == "invalid_otp"
    assert Event.objects.filter(action="code_guessing").count() == 1


def test_the_allowlist_on_tokens_binds_challenges(client_for: MakeClient) -> None:
    customer = generous(enforce_allowlist_on_tokens=True)
    user = member(customer, is_owner=True)
    app = enrol_app(user)
    token = login(client_for(customer)).document["session_token"]
    AllowedNetwork.objects.create(customer=customer, network="192.0.2.0/24")
    factories.policy(customer)
    outside = client_for(None, ip="203.0.113.77")
    assert second(outside, token, "totp", code=app.now()).error_type == "ip_not_allowed"
    assert second(client_for(None, ip="192.0.2.7"), token, "totp", code=app.now()).status == 200


def test_users_of_one_customer_are_counted_apart(client_for: MakeClient) -> None:
    """The same address at another customer is somebody else."""
    one, other = generous(), generous()
    member(one)
    enrol_app(member(other))
    client = client_for(other)
    token = login(client).document["session_token"]
    second(client, token, "totp", code="000000")
    assert list(User.objects.order_by("wrong_second_factors").values_list("customer", "wrong_second_factors")) == [
        (one.id, 0),
        (other.id, 1),
    ]
