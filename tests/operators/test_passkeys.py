"""Operators' passkeys: second factors of their own, good once each, added and removed with a proof, while Valkey may be away."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from apps.audit.models import Event
from apps.core import ciphers
from apps.mail.models import Message
from apps.operators.models import OperatorPasskey, OperatorRecoveryCode, UsedChallenge
from apps.operators.sign_in import challenges, expiry
from tests import races
from tests.factors.authenticator import Authenticator, decode, encode
from tests.operators.enrolling import PAGE, app_of, code_of
from tests.operators.signing_in import LOGIN, PASSWORD, is_in, operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
GRAVE = "/admin/auth/user/{}/reset-factors/"


def enrol(browser: Client, device: Authenticator, name: str = "Laptop") -> None:
    made = device.create(json.loads(browser.get(PAGE).context["new_passkey"]))
    browser.post(PAGE, {"do": "add", "name": name, "credential": json.dumps(made)})


def sign_in_options(browser: Client) -> dict[str, Any]:
    options: dict[str, Any] = json.loads(browser.get(LOGIN).context["form"].passkey_options())
    return options


def enter(credential: Any, name: str = "ops@example.com", password: str = PASSWORD) -> Client:
    browser = Client(REMOTE_ADDR="192.0.2.1")
    text = credential if isinstance(credential, str) else json.dumps(credential)
    browser.post(LOGIN, {"username": name, "password": password, "code": "", "credential": text, "next": "/admin/"})
    return browser


def enrolled(device: Authenticator, name: str = "ops@example.com") -> User:
    who = operator(name)
    enrol(sign_in(name), device)
    return who


def stale(browser: Client) -> None:
    """As if the last proof had been given long ago."""
    session = browser.session
    session["gatehouse_proven"] = [0, "device"]
    session.save()


def test_a_passkey_is_enrolled_and_signs_in_after_the_password() -> None:
    device = Authenticator()
    enrolled(device)
    assert OperatorPasskey.objects.get().name == "Laptop"
    assert OperatorRecoveryCode.objects.count() == 10
    assert not is_in(sign_in())
    assert is_in(enter(device.get(sign_in_options(Client()))))
    assert not is_in(enter(device.get(sign_in_options(Client())), password="wrong"))
    assert Message.objects.filter(kind="operator_notice").count() == 1
    assert Event.objects.filter(action="operator_second_factor_changed").count() == 1


def test_the_sign_in_page_names_no_passkey() -> None:
    enrolled(Authenticator())
    assert not sign_in_options(Client()).get("allowCredentials")


def test_a_signature_is_good_once() -> None:
    device = Authenticator(counts=False)
    enrolled(device)
    signed = device.get(sign_in_options(Client()))
    assert is_in(enter(signed))
    assert not is_in(enter(signed))


def test_of_many_uses_at_once_one_is_taken() -> None:
    device = Authenticator(counts=False)
    enrolled(device)
    challenge = challenges.new("sign-in", "")
    assert sum(races.at_once(12, lambda _number: challenges.use(challenge))) == 1


def bent(name: str, device: Authenticator, options: dict[str, Any]) -> Any:
    """What an attacker might send in the place of a signature."""
    if name == "an old challenge":
        head = (int(timezone.now().timestamp()) - 301).to_bytes(4, "big") + b"\0" * 12
        return device.get({**options, "challenge": encode(head + challenges._mac(head, "sign-in", ""))})
    if name == "a challenge of our own making":
        return device.get({**options, "challenge": encode(b"\xff" * 32)})
    if name == "a challenge for a grave change":
        return device.get({**options, "challenge": encode(challenges.new("step-up", ""))})
    if name == "another site":
        device.origin = "https://evil.example"
    if name == "no user verification":
        device.verifies_user = False
    signed = device.get(options)
    if name == "another signature":
        signed["response"]["signature"] = encode(b"\0" + decode(signed["response"]["signature"])[1:])
    return {"an empty object": {}, "a list": [], "a number": 7, "no JSON": "{", "null bytes": "\0"}.get(name, signed)


@pytest.mark.parametrize(
    "name",
    [
        "an old challenge",
        "a challenge of our own making",
        "a challenge for a grave change",
        "another site",
        "no user verification",
        "another signature",
        "an empty object",
        "a list",
        "a number",
        "no JSON",
        "null bytes",
    ],
)
def test_what_is_not_signed_rightly_does_not_sign_in(name: str) -> None:
    device = Authenticator()
    enrolled(device)
    assert not is_in(enter(bent(name, device, sign_in_options(Client()))))
    device.origin, device.verifies_user = "https://auth.example.test", True
    assert is_in(enter(device.get(sign_in_options(Client()))))


def test_a_passkey_is_worthless_to_another_operator() -> None:
    device = Authenticator()
    enrolled(device)
    enrolled(Authenticator(), "other@example.com")
    assert not is_in(enter(device.get(sign_in_options(Client())), "other@example.com"))


def test_a_copy_is_refused_and_recorded() -> None:
    device = Authenticator()
    enrolled(device)
    assert is_in(enter(device.get(sign_in_options(Client()))))
    device.count = 0
    assert not is_in(enter(device.get(sign_in_options(Client()))))
    assert Event.objects.get(action="operator_passkey_cloned").severity == "high"


def test_several_are_kept_each_with_a_name_and_one_is_removed() -> None:
    first, second = Authenticator(), Authenticator()
    enrolled(first)
    browser = enter(first.get(sign_in_options(Client())))
    enrol(browser, second, "Phone <b>")
    assert "Phone &lt;b&gt;" in browser.get(PAGE).content.decode()
    row = OperatorPasskey.objects.get(name="Laptop")
    browser.post(PAGE, {"do": "remove", "passkey": row.pk})
    assert not is_in(enter(first.get(sign_in_options(Client()))))
    assert is_in(enter(second.get(sign_in_options(Client()))))
    assert OperatorRecoveryCode.objects.count() == 10


def test_a_stolen_session_adds_and_removes_none() -> None:
    device = Authenticator()
    enrolled(device)
    browser = enter(device.get(sign_in_options(Client())))
    made = Authenticator().create(json.loads(browser.get(PAGE).context["new_passkey"]))
    stale(browser)
    browser.post(PAGE, {"do": "add", "credential": json.dumps(made)})
    browser.post(PAGE, {"do": "remove", "passkey": OperatorPasskey.objects.get().pk})
    assert OperatorPasskey.objects.count() == 1
    assert browser.get(PAGE).context["new_passkey"] == ""
    waiting = app_of(User.objects.get(), confirmed=False)
    browser.post(PAGE, {"code": code_of(waiting)})
    waiting.refresh_from_db()
    assert not waiting.confirmed


def test_the_passkey_itself_is_the_proof_and_of_another_session_none() -> None:
    device = Authenticator()
    enrolled(device)
    browser, thief = (enter(device.get(sign_in_options(Client()))) for _ in range(2))
    stale(browser)
    stale(thief)
    signed = device.get(json.loads(browser.get(PAGE).context["proof"].passkey_options()))
    thief.post(PAGE, {"do": "prove", "credential": json.dumps(signed)})
    assert not thief.get(PAGE).context["is_proven"]
    signed = device.get(json.loads(browser.get(PAGE).context["proof"].passkey_options()))
    browser.post(PAGE, {"do": "prove", "credential": json.dumps(signed)})
    assert browser.get(PAGE).context["is_proven"]
    assert set(Event.objects.filter(action__contains="pro").values_list("action", flat=True)) == {
        "operator_proof_rejected",
        "operator_proven",
    }


def test_a_grave_change_takes_a_passkey() -> None:
    device, lost = Authenticator(), operator("lost@example.com")
    app_of(lost)
    enrolled(device)
    browser = enter(device.get(sign_in_options(Client())))
    stale(browser)
    question = browser.get(GRAVE.format(lost.pk))
    signed = device.get(json.loads(question.context["proof"].passkey_options()))
    answer = {"why": "Seen in person", "credential": json.dumps(signed)}
    assert browser.post(GRAVE.format(lost.pk), {**answer, "credential": "{}"}).status_code == 200
    assert browser.post(GRAVE.format(lost.pk), answer).status_code == 302
    assert is_in(sign_in("lost@example.com"))


def test_a_passkey_of_one_operator_is_removed_by_no_other() -> None:
    enrolled(Authenticator())
    device = Authenticator()
    enrolled(device, "other@example.com")
    browser = enter(device.get(sign_in_options(Client())), "other@example.com")
    theirs = OperatorPasskey.objects.get(user__username="ops@example.com")
    browser.post(PAGE, {"do": "remove", "passkey": theirs.pk})
    assert OperatorPasskey.objects.count() == 2


def test_guesses_are_counted() -> None:
    """Each costs a signature check, and there are codes beside."""
    device = Authenticator()
    enrolled(device)
    for _ in range(6):
        enter({"id": "nothing"})
    assert not is_in(enter(device.get(sign_in_options(Client()))))


def test_a_session_ends_to_be_proven_when_its_passkey_is_gone() -> None:
    device = Authenticator()
    enrolled(device)
    browser = enter(device.get(sign_in_options(Client())))
    app_of(User.objects.get())
    OperatorPasskey.objects.all().delete()
    assert not is_in(browser)


def test_used_challenges_are_forgotten_when_they_would_have_expired() -> None:
    challenge = challenges.new("sign-in", "")
    assert challenges.use(challenge)
    UsedChallenge.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    expiry.remove_expired()
    assert not UsedChallenge.objects.filter(digest=ciphers.digest(challenge)).exists()
