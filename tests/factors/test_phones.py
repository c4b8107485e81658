"""Numbers for codes by SMS: enrolled, confirmed, used as a second factor, and where two are demanded."""

import json
from pathlib import Path

import pytest
from django.utils import timezone

from apps.audit.models import Event
from apps.factors.models import Phone
from apps.mail import delivery
from apps.mail.models import Channel, Message
from apps.users.models import User
from demo.client import Client
from tests import factories
from tests.conftest import MakeClient
from tests.factors.authenticator import Authenticator
from tests.factors.enrolling import enrol_passkey
from tests.otp.reading import newest_code, wrong_code
from tests.races import at_once
from tests.signin.entering import generous, login, member, second, send

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = "+4915112345678"


@pytest.fixture(autouse=True)
def sent(settings: object, tmp_path: Path) -> Path:
    settings.SMS_BACKEND, settings.SMS_FILE_PATH = "apps.mail.sms_transports.File", str(tmp_path / "sms.jsonl")  # type: ignore[attr-defined]
    return tmp_path / "sms.jsonl"


def newest_sms(sent: Path) -> str:
    """The code in the newest SMS, once it has gone out."""
    message = Message.objects.filter(channel=Channel.SMS).order_by("-id")[0]
    delivery.attempt(message.id, now=timezone.now())
    text: str = json.loads(sent.read_text().splitlines()[-1])["text"]
    return text.rpartition("#")[2]


def enrol(client: Client, user: User, sent: Path, number: str = NUMBER) -> None:
    token = factories.session(user).access
    assert client.post("/api/auth/2fa/sms", {"phone": number}, token=token).status == 202
    assert client.post("/api/auth/2fa/sms/confirm", {"code": newest_sms(sent)}, token=token).status == 200


def test_a_number_counts_once_a_first_code_has_confirmed_it(client_for: MakeClient, sent: Path) -> None:
    customer = factories.customer()
    user = member(customer)
    client, token = client_for(customer), factories.session(user).access
    begun = client.post("/api/auth/2fa/sms", {"phone": "+49 1511 2345678"}, token=token)
    assert begun.status == 202
    assert begun.document == {"number": "+49 … 78", "expires_in": 600, "resend_in": 30}
    code = newest_sms(sent)
    assert client.post("/api/auth/2fa/sms/confirm", {"code": wrong_code(code)}, token=token).error_type == "invalid_otp"
    assert client.get("/api/auth/2fa", token=token).document["sms"] is None
    done = client.post("/api/auth/2fa/sms/confirm", {"code": code}, token=token)
    assert len(done.document["recovery_codes"]) == 10
    overview = client.get("/api/auth/2fa", token=token).document
    assert overview["sms"]["number"] == "+49 … 78"
    assert overview["methods"] == ["sms", "recovery_code"]
    assert NUMBER not in str(list(Phone.objects.values())) + str(list(Event.objects.values()))


def test_a_number_that_waits_to_be_confirmed_is_in_the_export(client_for: MakeClient) -> None:
    customer = factories.customer()
    client, token = client_for(customer), factories.session(member(customer)).access
    client.post("/api/auth/2fa/sms", {"phone": NUMBER}, token=token)
    exported = client.get("/api/auth/me/export?section=phone_factor", token=token)
    assert exported.status == 200
    row = exported.document["results"][0]
    assert (row["number"], row["number_to_be_confirmed"], row["confirmed_at"]) == (None, NUMBER, None)


def test_an_sms_that_is_sent_is_an_event(client_for: MakeClient) -> None:
    """C8: it costs the customer money."""
    customer = factories.customer()
    user = member(customer)
    client, token = client_for(customer), factories.session(user).access
    client.post("/api/auth/2fa/sms", {"phone": NUMBER}, token=token)
    event = Event.objects.get(action="second_factor_sent")
    assert (event.user_id, event.details) == (user.id, {"method": "sms", "enrolling": True})


def test_taking_away_what_nobody_has_confirmed_is_not_announced(client_for: MakeClient) -> None:
    customer = factories.customer()
    client, token = client_for(customer), factories.session(member(customer)).access
    client.post("/api/auth/2fa/sms", {"phone": NUMBER}, token=token)
    assert client.delete("/api/auth/2fa/sms", token=token).status == 200
    assert not Phone.objects.exists()
    assert not Message.objects.filter(kind="factor_removed").exists()
    assert not Event.objects.filter(action="factor_removed").exists()


def test_first_codes_are_limited_like_those_at_sign_in(client_for: MakeClient) -> None:
    customer = generous()
    factories.limit(customer, "second_factors_per_user", 1)
    client, token = client_for(customer), factories.session(member(customer)).access
    client.post("/api/auth/2fa/sms", {"phone": NUMBER}, token=token)
    wrong = {"code": wrong_code(newest_code())}
    types = [client.post("/api/auth/2fa/sms/confirm", wrong, token=token).error_type for _ in range(2)]
    assert types == ["invalid_otp", "rate_limited"]


def test_a_code_by_sms_is_a_second_factor(client_for: MakeClient, sent: Path) -> None:
    """C4 2fa/send, 2fa/verify: sms."""
    customer = factories.customer(code_resend_after=0)
    user = member(customer)
    client = client_for(customer)
    enrol(client, user, sent)
    asked = login(client).document
    assert asked["methods"] == ["sms", "recovery_code", "email"]
    assert send(client, asked["session_token"], "sms").status == 200
    code = newest_sms(sent)
    assert second(client, asked["session_token"], "email", code=code).error_type == "invalid_otp", "sent by another way"
    assert second(client, asked["session_token"], "sms", code=code).status == 200


def test_sms_are_limited_and_have_a_quota(client_for: MakeClient) -> None:
    customer = factories.customer(code_resend_after=0, daily_sms_quota=2)
    factories.limit(customer, "sms_per_number", 3)
    client, token = client_for(customer), factories.session(member(customer)).access
    types = [client.post("/api/auth/2fa/sms", {"phone": NUMBER}, token=token).error_type for _ in range(4)]
    assert types == [None, None, "quota_exceeded", "rate_limited"]


def test_of_many_numbers_at_once_one_is_being_confirmed(client_for: MakeClient) -> None:
    customer = generous(code_resend_after=0)
    user = member(customer)
    client, token = client_for(customer), factories.session(user).access

    def begin(number: int) -> int:
        return client.post("/api/auth/2fa/sms", {"phone": f"+491511234567{number}"}, token=token).status

    assert set(at_once(4, begin)) <= {202, 429}
    assert Phone.objects.count() == 1


def test_one_number_is_written_to_so_often_whoever_asks(client_for: MakeClient) -> None:
    """Else many accounts together would make somebody's telephone ring all day."""
    customer = generous(code_resend_after=0)
    factories.limit(customer, "sms_per_number", 2)
    types = []
    for number in range(3):
        user = factories.user(customer, f"u{number}@example.com")
        client = client_for(customer, ip=f"198.51.100.{number}")
        types.append(
            client.post("/api/auth/2fa/sms", {"phone": NUMBER}, token=factories.session(user).access).error_type
        )
    assert types == [None, None, "rate_limited"]


def test_one_user_asks_for_so_many_whatever_the_number(client_for: MakeClient) -> None:
    """Else one account could send SMS to the whole world."""
    customer = generous(code_resend_after=0)
    factories.limit(customer, "sms_per_user", 2)
    client, token = client_for(customer), factories.session(member(customer)).access
    numbers = [f"+491511234567{number}" for number in range(3)]
    types = [client.post("/api/auth/2fa/sms", {"phone": number}, token=token).error_type for number in numbers]
    assert types == [None, None, "rate_limited"]


@pytest.mark.parametrize("number", ["", "0151", "+49301234567", "+1", "+4915112345678 ext. 5", "hello"])
def test_what_cannot_receive_an_sms_is_refused(client_for: MakeClient, number: str) -> None:
    customer = factories.customer()
    token = factories.session(member(customer)).access
    refused = client_for(customer).post("/api/auth/2fa/sms", {"phone": number}, token=token)
    assert (refused.status, list(refused.document["error"]["fields"])) == (400, ["phone"])
    assert not Message.objects.exists()


def test_a_customer_may_name_the_countries(client_for: MakeClient) -> None:
    customer = factories.customer(sms_regions=["AT"])
    client, token = client_for(customer), factories.session(member(customer)).access
    assert client.post("/api/auth/2fa/sms", {"phone": NUMBER}, token=token).status == 400
    assert client.post("/api/auth/2fa/sms", {"phone": "+436641234567"}, token=token).status == 202


def test_another_number_replaces_the_old_one_only_when_confirmed(client_for: MakeClient, sent: Path) -> None:
    customer = factories.customer(code_resend_after=0)
    user = member(customer)
    client = client_for(customer)
    enrol(client, user, sent)
    token = factories.session(user).access
    client.post("/api/auth/2fa/sms", {"phone": "+4915112345600"}, token=token)
    asked = login(client).document
    send(client, asked["session_token"], "sms")
    newest_sms(sent)
    assert json.loads(sent.read_text().splitlines()[-1])["to"] == NUMBER


def test_without_a_backend_it_says_so(client_for: MakeClient, settings: object) -> None:
    settings.SMS_BACKEND = ""  # type: ignore[attr-defined]
    customer = factories.customer()
    token = factories.session(member(customer)).access
    refused = client_for(customer).post("/api/auth/2fa/sms", {"phone": NUMBER}, token=token)
    assert (refused.status, refused.error_type) == (503, "sms_unavailable")


def test_where_both_are_demanded_both_are_given(client_for: MakeClient, sent: Path) -> None:
    """C4: a customer can require both factors at once (sms and passkey: "both")."""
    customer = generous(second_factor="both", code_resend_after=0)
    user = member(customer)
    client, device = client_for(customer), Authenticator()
    enrol(client, user, sent)
    enrol_passkey(client, factories.session(user).access, device)
    asked = login(client).document
    assert asked["methods"] == ["passkey", "sms", "recovery_code"]
    send(client, asked["session_token"], "sms")
    after = second(client, asked["session_token"], "sms", code=newest_sms(sent)).document
    assert after["requires_2fa"] is True
    assert after["methods"] == ["passkey", "recovery_code"]
    again = second(client, asked["session_token"], "passkey", credential={"id": "x"})
    assert again.error_type == "invalid_token", "each challenge is used once"
    options = send(client, after["session_token"], "passkey").document
    done = second(client, after["session_token"], "passkey", credential=device.get(options))
    assert "access_token" in done.document
    assert Event.objects.get(action="sign_in").details["second_factors"] == ["sms", "passkey"]


def test_a_passkey_alone_is_one_of_both(client_for: MakeClient, sent: Path) -> None:
    customer = generous(second_factor="both", code_resend_after=0)
    user = member(customer)
    client, device = client_for(customer), Authenticator()
    enrol(client, user, sent)
    enrol_passkey(client, factories.session(user).access, device)
    options = client.before_sign_in("/api/auth/passkey/options", {}).document
    asked = client.before_sign_in("/api/auth/passkey/verify", {"credential": device.get(options)}).document
    assert asked["methods"] == ["sms", "recovery_code"]
    assert "access_token" not in asked


def test_who_has_neither_is_led_to_enrol_both(client_for: MakeClient, sent: Path) -> None:
    customer = generous(second_factor="both", code_resend_after=0)
    member(customer)
    client, device = client_for(customer), Authenticator()
    first = login(client).document
    assert first["methods"] == ["email"]
    send(client, first["session_token"], "email")
    asked = second(client, first["session_token"], "email", code=newest_code()).document
    assert (asked["methods"], asked["enrol"]) == ([], ["passkey", "sms"])
    path = "/api/auth/2fa/enrol"
    begun = client.before_sign_in(path, {"session_token": asked["session_token"], "method": "sms", "phone": NUMBER})
    assert begun.status == 200, begun.document
    after = second(client, asked["session_token"], "sms", code=newest_sms(sent)).document
    assert (after["methods"], after["enrol"]) == ([], ["passkey"])
    options = client.before_sign_in(path, {"session_token": after["session_token"], "method": "passkey"}).document
    done = second(client, after["session_token"], "passkey", credential=device.create(options))
    assert "access_token" in done.document, done.document
    token = done.document["access_token"]
    for factor in ("sms", f"passkeys/{client.get('/api/auth/2fa', token=token).document['passkeys'][0]['id']}"):
        assert client.delete(f"/api/auth/2fa/{factor}", token=token).error_type == "second_factor_required"


def test_one_recovery_code_stands_for_one_of_both(client_for: MakeClient, sent: Path) -> None:
    customer = generous(second_factor="both", code_resend_after=0)
    user = member(customer)
    client, device = client_for(customer), Authenticator()
    token = factories.session(user).access
    codes = enrol_passkey(client, token, device).document["recovery_codes"]
    enrol(client, user, sent)
    asked = login(client).document
    after = second(client, asked["session_token"], "recovery_code", code=codes[0]).document
    assert after["requires_2fa"] is True
    send(client, after["session_token"], "sms")
    assert "access_token" in second(client, after["session_token"], "sms", code=newest_sms(sent)).document


def test_who_knows_the_password_alone_enrols_nothing_beside_what_is_there(client_for: MakeClient, sent: Path) -> None:
    """Where both are demanded and one is enrolled, that one comes first."""
    customer = generous(second_factor="both", code_resend_after=0)
    user = member(customer)
    client = client_for(customer)
    enrol(client, user, sent)
    asked = login(client).document
    assert asked["methods"] == ["sms", "recovery_code"]
    assert "enrol" not in asked
    path = "/api/auth/2fa/enrol"
    refused = client.before_sign_in(path, {"session_token": asked["session_token"], "method": "passkey"})
    assert refused.error_type == "method_not_offered"
    send(client, asked["session_token"], "sms")
    after = second(client, asked["session_token"], "sms", code=newest_sms(sent)).document
    assert (after["methods"], after["enrol"]) == ([], ["passkey"])
