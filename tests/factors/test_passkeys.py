"""Passkeys against a software authenticator: made, used, named, removed, and every way in which they are refused."""

from datetime import timedelta

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone

from apps.audit.models import Event
from apps.core import valkey
from apps.factors import passkeys
from apps.factors.models import Passkey
from apps.mail.models import Message
from apps.tokens.models import Session
from apps.users import lifecycle
from apps.users.models import User
from demo.client import Answer, Client
from tests import factories
from tests.conftest import MakeClient
from tests.engines import OwnValkey
from tests.factors.authenticator import Authenticator, decode, encode
from tests.factors.enrolling import enrol_passkey
from tests.otp.reading import newest_code
from tests.races import at_once
from tests.signin.entering import EMAIL, enrol_app, login, member, second, send

pytestmark = pytest.mark.django_db(transaction=True)


def options(client: Client) -> dict[str, object]:
    answer = client.before_sign_in("/api/auth/passkey/options", {})
    assert answer.status == 200, answer.document
    document: dict[str, object] = answer.document
    return document


def use(client: Client, credential: object) -> Answer:
    return client.before_sign_in("/api/auth/passkey/verify", {"credential": credential})


def with_passkey(client_for: MakeClient, **policy: object) -> tuple[Client, Authenticator, object]:
    customer = factories.customer(**policy)
    user = member(customer)
    client, device = client_for(customer), Authenticator()
    assert enrol_passkey(client, factories.session(user).access, device).status == 201
    Session.objects.all().delete()
    return client, device, user


def test_a_passkey_is_enrolled_and_signs_in_by_itself(client_for: MakeClient) -> None:
    """C4 passkey/options, passkey/verify: sign-in by passkey alone; user verification required."""
    customer = factories.customer(name="Engines")
    user = member(customer, name="Ada")
    client, token, device = client_for(customer), factories.session(user).access, Authenticator()
    begun = client.post("/api/auth/2fa/passkeys/options", {}, token=token).document
    assert begun["rp"] == {"name": "Engines", "id": "auth.example.test"}
    assert decode(begun["user"]["id"]) == user.id.bytes
    assert begun["authenticatorSelection"]["userVerification"] == "required"
    assert begun["authenticatorSelection"]["residentKey"] == "required"
    made = client.post("/api/auth/2fa/passkeys", {"credential": device.create(begun), "name": "Laptop"}, token=token)
    assert made.status == 201, made.document
    assert made.document["name"] == "Laptop"
    assert len(made.document["recovery_codes"]) == 10
    asked = options(client)
    assert asked["userVerification"] == "required"
    assert asked["allowCredentials"] == []
    answer = use(client, device.get(asked))
    assert answer.status == 200, answer.document
    assert answer.document["user"]["id"] == str(user.id)
    assert Event.objects.filter(action="sign_in").get().details == {"method": "passkey", "second_factors": ["passkey"]}
    listed = client.get("/api/auth/2fa", token=answer.document["access_token"]).document["passkeys"]
    assert listed[0]["last_used_at"] is not None


def test_the_options_are_the_same_whoever_asks(client_for: MakeClient) -> None:
    client, _device, _user = with_passkey(client_for)
    first, second_time = options(client), options(client)
    first.pop("challenge"), second_time.pop("challenge")
    assert first == second_time


def refused(answer: Answer) -> bool:
    return (answer.status, answer.error_type) == (400, "invalid_passkey") and not Session.objects.exists()


def test_without_user_verification_it_is_refused(client_for: MakeClient) -> None:
    client, device, _user = with_passkey(client_for)
    device.verifies_user = False
    assert refused(use(client, device.get(options(client))))


def test_none_is_enrolled_without_user_verification(client_for: MakeClient) -> None:
    customer = factories.customer()
    client, token = client_for(customer), factories.session(factories.user(customer)).access
    assert enrol_passkey(client, token, Authenticator(verifies_user=False)).error_type == "invalid_passkey"
    assert not Passkey.objects.exists()


def test_a_passkey_opens_the_account_to_codes_again(client_for: MakeClient) -> None:
    """C6: after 100 wrong ones no codes until a password, passkey or operator clears it. Those after a password too."""
    client, device, user = with_passkey(client_for, code_resend_after=0)
    User.objects.update(wrong_codes=100, wrong_second_factors=100)
    client.request_otp(EMAIL)
    assert Message.objects.order_by("-id")[0].state == "suppressed"
    assert login(client).document["methods"] == ["passkey", "recovery_code"], "no code by email"
    assert use(client, device.get(options(client))).status == 200
    user.refresh_from_db()  # type: ignore[attr-defined]
    assert (user.wrong_codes, user.wrong_second_factors) == (0, 0)  # type: ignore[attr-defined]
    client.request_otp(EMAIL)
    assert Message.objects.order_by("-id")[0].state == "queued"
    assert client.verify_otp(EMAIL, newest_code()).status == 200
    assert "email" in login(client).document["methods"]


def test_refused_passkeys_are_written_down_once_a_minute_for_each_network(client_for: MakeClient) -> None:
    """They count against no limit, but strangers must not be able to fill the log."""
    customer, others = factories.customer(), factories.customer()
    key = factories.api_key(customer)[1]
    addresses = ("198.51.100.1", "198.51.100.2", "2001:db8::1", "2001:db8::2")
    networks = {ip: client_for(customer, ip=ip, api_key=key) for ip in addresses}
    for client in networks.values():
        assert {use(client, {"id": "x"}).error_type for _ in range(5)} == {"invalid_passkey"}
    written = Event.objects.filter(action="passkey_rejected", customer_id=customer.id)
    assert sorted(str(event.ip) for event in written) == ["198.51.100.1", "198.51.100.2", "2001:db8::1"]
    use(client_for(others, ip="198.51.100.1"), {"id": "x"})
    assert Event.objects.filter(action="passkey_rejected", customer_id=others.id).count() == 1, "of its own customer"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://auth.example.test.evil.example",
        "http://auth.example.test",
        "https://xauth.example.test",
    ],
)
def test_another_site_is_refused(client_for: MakeClient, origin: str) -> None:
    client, device, _user = with_passkey(client_for)
    device.origin = origin
    assert refused(use(client, device.get(options(client))))


def test_an_allowed_origin_of_the_customers_domain_is_accepted(client_for: MakeClient) -> None:
    policy = {
        "passkey_domain": "example.com",
        "allowed_origins": ["https://app.example.com", "https://other.example.org"],
    }
    customer = factories.customer(**policy)
    user = member(customer)
    client, token = client_for(customer), factories.session(user).access
    assert enrol_passkey(client, token, Authenticator(origin="https://app.example.com")).status == 201
    assert (
        enrol_passkey(client, token, Authenticator(origin="https://other.example.org")).error_type == "invalid_passkey"
    )


def test_a_challenge_is_used_once(client_for: MakeClient) -> None:
    client, device, _user = with_passkey(client_for)
    asked = options(client)
    assert use(client, device.get(asked)).status == 200
    Session.objects.all().delete()
    assert refused(use(client, device.get(asked)))


def test_a_challenge_of_another_customer_or_of_our_making_is_none(client_for: MakeClient) -> None:
    client, device, _user = with_passkey(client_for)
    other = client_for(factories.customer())
    assert refused(use(client, device.get(options(other))))
    made_up = options(client)
    made_up["challenge"] = encode(b"x" * 32)
    assert refused(use(client, device.get(made_up)))


def test_a_passkey_of_another_customer_is_worthless(client_for: MakeClient) -> None:
    """C1.5."""
    _client, device, _user = with_passkey(client_for)
    other = factories.customer()
    member(other)
    client = client_for(other)
    assert refused(use(client, device.get(options(client))))


def test_an_enrolment_challenge_does_not_sign_in(client_for: MakeClient) -> None:
    client, device, user = with_passkey(client_for)
    begun = client.post("/api/auth/2fa/passkeys/options", {}, token=factories.session(user).access).document  # type: ignore[arg-type]
    Session.objects.all().delete()
    asked = {"rpId": "auth.example.test", "challenge": begun["challenge"]}
    assert refused(use(client, device.get(asked)))


@pytest.mark.parametrize("part", ["signature", "authenticatorData", "clientDataJSON", "userHandle"])
def test_a_tampered_answer_is_refused(client_for: MakeClient, part: str) -> None:
    client, device, _user = with_passkey(client_for)
    credential = device.get(options(client))
    raw = bytearray(decode(credential["response"][part]))
    raw[-1] ^= 1
    credential["response"][part] = encode(bytes(raw))
    assert refused(use(client, credential))


def test_somebody_elses_signature_is_refused(client_for: MakeClient) -> None:
    client, device, _user = with_passkey(client_for)
    thief = Authenticator(credential_id=device.credential_id, user_handle=device.user_handle)
    assert refused(use(client, thief.get(options(client))))


def test_a_counter_that_does_not_go_up_is_a_clone(client_for: MakeClient) -> None:
    """Issue: sign counter and clone warning."""
    client, device, user = with_passkey(client_for)
    assert use(client, device.get(options(client))).status == 200
    device.count = 0
    Session.objects.all().delete()
    assert refused(use(client, device.get(options(client))))
    event = Event.objects.get(action="passkey_cloned")
    assert (event.severity, event.outcome, event.user_id) == ("high", "denied", user.id)  # type: ignore[attr-defined]
    assert Message.objects.filter(kind="passkey_cloned").count() == 1
    device.count = 100
    assert refused(use(client, device.get(options(client)))), "it stays refused: there may be two of it"
    listed = client.get("/api/auth/2fa", token=factories.session(user).access).document  # type: ignore[arg-type]
    assert listed["passkeys"][0]["suspected_clone"] is True
    assert "passkey" not in listed["methods"]


def test_two_uses_at_once_make_no_clone(client_for: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two windows of one browser: the counter is compared with what the other has just written."""
    client, device, _user = with_passkey(client_for)
    first, then = (device.get(options(client)) for _ in range(2))
    find = passkeys._find

    def slowly(*args: object) -> Passkey | None:
        row = find(*args)  # type: ignore[arg-type]
        monkeypatch.setattr(passkeys, "_find", find)
        assert use(client, first).status == 200
        return row

    monkeypatch.setattr(passkeys, "_find", slowly)
    assert use(client, then).status == 200
    assert Passkey.objects.get().suspected_clone_at is None


def test_a_copy_does_not_switch_the_second_factor_off(client_for: MakeClient) -> None:
    """Else a thief with a copy of the only passkey could use the copy, and need only the password from then on."""
    client, _device, user = with_passkey(client_for)
    Passkey.objects.update(suspected_clone_at=timezone.now())
    asked = login(client).document
    assert asked["requires_2fa"] is True
    assert asked["methods"] == ["recovery_code", "email"]
    assert not Session.objects.filter(user=user).exists()


def test_a_refused_passkey_is_written_down(client_for: MakeClient) -> None:
    """C8: an event for everything."""
    client, device, _user = with_passkey(client_for)
    thief = Authenticator(credential_id=device.credential_id, user_handle=device.user_handle)
    assert refused(use(client, thief.get(options(client))))
    event = Event.objects.get(action="passkey_rejected")
    assert (event.outcome, event.customer_id) == ("failure", Passkey.objects.get().customer_id)


KEYS = (
    {1: 2, 3: -7, -1: 1, -2: b"1", -3: b"2"},  # no point
    {1: 2, 3: -7, -1: 1, -2: "x", -3: []},
    {1: 2, 3: -7, -1: 2**70, -2: b"1", -3: b"2"},
    {1: 3, 3: -257, -1: b"", -2: b""},
    {1: 3, 3: -257, -1: 1, -2: [1]},
    {1: 3, 3: -37, -1: b"\xff" * 20, -2: b"\3"},
    {1: 1, 3: -8, -1: 9, -2: b"1"},
    {1: True, 3: -8, -1: 6, -2: b"1" * 32},
    {1: 7, 3: -48, -1: b"a"},
)


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_keys_of_any_shape_are_refused_kindly(client_for: MakeClient, key: dict[int, object]) -> None:
    """At enrolment or at use: never a 500."""
    customer = factories.customer()
    client, device = client_for(customer), Authenticator(public_key=cbor2.dumps(key))
    answer = enrol_passkey(client, factories.session(member(customer)).access, device)
    if answer.status == 201:
        answer = use(client, device.get(options(client)))
    assert answer.error_type == "invalid_passkey"


def test_a_certificate_that_no_parser_takes_is_refused_kindly(client_for: MakeClient) -> None:
    """X.509 has no version 5: for it the parser raises an error of another class."""
    customer = factories.customer()
    client, token = client_for(customer), factories.session(member(customer)).access
    device = Authenticator(statement={"alg": -7, "sig": b"1", "x5c": [certificate_of_version_5()]})
    assert enrol_passkey(client, token, device).error_type == "invalid_passkey"


def certificate_of_version_5() -> bytes:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    start = timezone.now()
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 5, start, start + timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
    version_3, version_5 = bytes.fromhex("a003020102"), bytes.fromhex("a003020105")
    assert version_3 in certificate
    return certificate.replace(version_3, version_5)


def test_one_that_does_not_count_is_no_clone(client_for: MakeClient) -> None:
    """WebAuthn 6.1.1: synced passkeys say 0 for ever."""
    client, device, _user = with_passkey(client_for)
    device.counts = False
    for _ in range(2):
        assert use(client, device.get(options(client))).status == 200


def test_of_many_uses_of_one_answer_one_signs_in(client_for: MakeClient) -> None:
    client, device, _user = with_passkey(client_for)
    credential = device.get(options(client))
    statuses = at_once(15, lambda _: use(client, credential).status)
    assert statuses.count(200) == 1
    assert Session.objects.count() == 1


def test_the_same_credential_is_enrolled_once(client_for: MakeClient) -> None:
    client, device, user = with_passkey(client_for)
    token = factories.session(user).access  # type: ignore[arg-type]
    assert enrol_passkey(client, token, device).error_type == "invalid_passkey"
    excluded = client.post("/api/auth/2fa/passkeys/options", {}, token=token).document["excludeCredentials"]
    assert [item["id"] for item in excluded] == [encode(device.credential_id)]


def test_several_are_named_renamed_and_removed(client_for: MakeClient) -> None:
    """Issue: several named passkeys."""
    client, _device, user = with_passkey(client_for)
    token = factories.session(user).access  # type: ignore[arg-type]
    second_one = enrol_passkey(client, token, Authenticator(), name="Phone").document
    assert "recovery_codes" not in second_one
    path = f"/api/auth/2fa/passkeys/{second_one['id']}"
    assert client.patch(path, {"name": "Old phone"}, token=token).document["name"] == "Old phone"
    stranger = factories.user(user.customer, "eve@example.com")  # type: ignore[attr-defined]
    theirs = factories.session(stranger).access
    assert client.patch(path, {"name": "Mine now"}, token=theirs).status == 404
    assert client.delete(path, token=theirs).status == 404
    assert client.delete(path, token=token).status == 200
    assert Passkey.objects.count() == 1


def test_no_more_than_twenty(client_for: MakeClient) -> None:
    customer = factories.customer()
    user = member(customer)
    for number in range(20):
        Passkey.objects.create(
            customer=customer, user=user, name="x", credential_id=str(number), public_key=b"", created_at=timezone.now()
        )
    answer = client_for(customer).post("/api/auth/2fa/passkeys/options", {}, token=factories.session(user).access)
    assert (answer.status, answer.error_type) == (409, "too_many_passkeys")


def test_a_deactivated_user_stays_out(client_for: MakeClient) -> None:
    client, device, user = with_passkey(client_for)
    lifecycle.deactivate(user, context=factories.context("system"))
    assert refused(use(client, device.get(options(client))))


def test_a_passkey_is_a_second_factor_after_a_password(client_for: MakeClient) -> None:
    """C4 2fa/send: for passkey the WebAuthn request options."""
    client, device, _user = with_passkey(client_for)
    asked = login(client)
    assert asked.document["methods"][0] == "passkey", "offered first"
    token = asked.document["session_token"]
    sent = send(client, token, "passkey")
    assert [item["id"] for item in sent.document["allowCredentials"]] == [encode(device.credential_id)]
    assert second(client, token, "passkey", credential=device.get(sent.document)).status == 200


def test_a_challenge_for_signing_in_alone_is_none_for_a_second_factor(client_for: MakeClient) -> None:
    """And the reverse: each challenge is good only for what it was asked for."""
    client, device, _user = with_passkey(client_for)
    token = login(client).document["session_token"]
    assert second(client, token, "passkey", credential=device.get(options(client))).error_type == "invalid_passkey"
    sent = send(client, token, "passkey").document
    assert use(client, device.get(sent)).error_type == "invalid_passkey"
    assert not Session.objects.exists()


def test_another_users_passkey_is_none_for_a_second_factor(client_for: MakeClient) -> None:
    client, _device, user = with_passkey(client_for)
    eve, hers = member(user.customer, "eve@example.com"), Authenticator()  # type: ignore[attr-defined]
    enrol_passkey(client, factories.session(eve).access, hers)
    token = login(client).document["session_token"]
    assert second(client, token, "passkey", credential=hers.get(options(client))).error_type == "invalid_passkey"
    sent = send(client, token, "passkey").document
    assert second(client, token, "passkey", credential=hers.get(sent)).error_type == "invalid_passkey"


def test_signing_in_by_passkey_needs_no_second_factor_even_where_one_is_required(client_for: MakeClient) -> None:
    client, device, user = with_passkey(client_for, second_factor="required")
    enrol_app(user)  # type: ignore[arg-type]
    assert "access_token" in use(client, device.get(options(client))).document


def test_without_valkey_the_answer_is_503(client_for: MakeClient, valkey_away: OwnValkey) -> None:
    client, device, _user = with_passkey(client_for)
    credential = device.get(options(client))
    valkey_away.kill()
    assert use(client, credential).status == 503
    assert client.before_sign_in("/api/auth/passkey/options", {}).status == 503


def test_challenges_do_not_stay(client_for: MakeClient) -> None:
    client, _device, _user = with_passkey(client_for)
    options(client)
    lives = [valkey.client().ttl(key) for key in valkey.client().scan_iter(match="*webauthn*")]
    assert lives
    assert all(0 < left <= 300 for left in lives)
