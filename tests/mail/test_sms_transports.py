"""What takes SMS: gateways that behave in every way, the file, the console; and what is kept of their answers."""

import json
import stat
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from apps.mail import delivery, sms_transports
from apps.mail.content import Sms
from apps.mail.models import LedgerEntry, LedgerStep, Message, MessageState
from apps.mail.transports import Receipt
from tests.mail import posting
from tests.mail.gateway import Gateway, playing
from tests.worker import Worker, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "apps.mail.sms_transports."
SERVICE = "MG" + "0123456789abcdef" * 2


@pytest.fixture
def gateway(settings: Any) -> Iterator[Gateway]:
    """A gateway, and a backend that posts to it."""
    with playing() as played:
        settings.SMS_BACKEND = f"{PATH}Http"
        settings.SMS_HTTP_URL, settings.SMS_HTTP_TOKEN = f"{played.url}/send?x=1", "t0ken"
        sms_transports._made.cache_clear()
        yield played


def attempted(*, later: float = 0) -> tuple[Message, float | None]:
    """The newest SMS after a try to send it, and the seconds until the next."""
    message = Message.objects.get()
    wait = delivery.attempt(message.id, now=timezone.now() + timedelta(seconds=later))
    message.refresh_from_db()
    return message, wait


def kept() -> str:
    """All texts that stand anywhere in the clear: a time or an id may hold the digits of a code by chance."""
    rows = [*LedgerEntry.objects.values(), *Message.objects.values()]
    return "\n".join(value for row in rows for value in row.values() if isinstance(value, str))


def test_a_generic_gateway_is_told_what_it_must_know(gateway: Gateway) -> None:
    message = posting.post_sms()
    assert attempted()[0].state == MessageState.SENT
    path, headers, body = gateway.requests[0]
    assert path == "/send?x=1"
    assert headers["Authorization"] == "Bearer t0ken"
    assert headers["Idempotency-Key"] == str(message.id)
    document = json.loads(body)
    assert (document["id"], document["to"], document["from"]) == (str(message.id), posting.NUMBER, "Acme")
    assert document["text"].endswith(f"@example.com #{posting.CODE}")
    assert posting.answer(message, LedgerStep.ACCEPTED) == (gateway.url.removeprefix("http://"), "201 sid=SM1")


@pytest.mark.parametrize(("sender", "field"), [("+15005550006", "From"), (SERVICE, "MessagingServiceSid")])
def test_twilio(settings: Any, gateway: Gateway, monkeypatch: pytest.MonkeyPatch, sender: str, field: str) -> None:
    settings.SMS_BACKEND = f"{PATH}Twilio"
    settings.SMS_TWILIO_ACCOUNT_SID, settings.SMS_TWILIO_AUTH_TOKEN = "AC1", "secret"
    settings.SMS_TWILIO_FROM = sender
    monkeypatch.setattr(sms_transports.Twilio, "base_url", gateway.url)
    posting.post_sms(sender="")
    assert attempted()[0].state == MessageState.SENT
    path, headers, body = gateway.requests[0]
    assert path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert headers["Authorization"] == "Basic QUMxOnNlY3JldA=="
    form = parse_qs(body.decode())
    assert (form["To"], form[field]) == ([posting.NUMBER], [sender])
    assert posting.CODE in form["Body"][0]


@pytest.mark.parametrize("status", [201, 400, 500])
def test_an_answer_that_repeats_what_was_sent_is_not_kept(gateway: Gateway, status: int) -> None:
    """C2.4: Twilio answers with number and text. They are sealed here, and stay so."""
    gateway.echoing, gateway.statuses = True, [status]
    posting.post_sms()
    message, _ = attempted()
    assert posting.CODE in gateway.requests[0][2].decode()
    assert posting.CODE not in kept()
    assert posting.NUMBER.lstrip("+") not in kept()
    said = message.last_error or posting.answer(message, LedgerStep.ACCEPTED)[1]
    assert said == f"{status} sid=SM1"


def test_the_reason_of_a_refusal_is_kept(gateway: Gateway) -> None:
    gateway.statuses = [400]
    gateway.answer = f'{{"code": 21211, "message": "{posting.NUMBER} is no number", "status": 400}}'.encode()
    posting.post_sms()
    assert attempted()[0].last_error == "400 code=21211 status=400"


@pytest.mark.parametrize("status", [302, 401, 402, 429, 500, 503])
def test_trouble_that_may_pass_is_tried_again(gateway: Gateway, status: int) -> None:
    gateway.statuses = [status]
    posting.post_sms()
    message, wait = attempted()
    assert wait is not None
    assert message.state == MessageState.QUEUED
    assert len(gateway.requests) == 1, "no redirect is followed"
    assert attempted(later=90)[0].state == MessageState.SENT


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_refusal_is_for_good(gateway: Gateway, status: int) -> None:
    gateway.statuses = [status]
    posting.post_sms()
    message, wait = attempted()
    assert (message.state, wait) == (MessageState.FAILED, None)


def test_a_gateway_that_is_away_is_tried_again(settings: Any, gateway: Gateway) -> None:
    settings.SMS_HTTP_URL = "http://127.0.0.1:1/"
    posting.post_sms()
    assert attempted()[1] is not None


@pytest.mark.parametrize(
    "raw",
    [b"482913\r\n\r\n", b"HTTP/1.1 twohundred OK\r\n\r\n", b"\x00\xff" * 500, b"SSH-2.0-x\r\n"],
    ids=["words", "status", "bytes", "ssh"],
)
def test_garbage_is_no_acceptance_and_is_not_kept(gateway: Gateway, raw: bytes) -> None:
    gateway.raw = raw
    posting.post_sms()
    message, wait = attempted()
    assert message.state == MessageState.QUEUED
    assert wait is not None
    assert posting.CODE not in kept()


@pytest.mark.parametrize(
    "rest",
    [b"Content-Length: 500\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n"],
    ids=["cut off", "no chunk"],
)
def test_what_was_accepted_is_not_sent_again_because_the_answer_broke_off(gateway: Gateway, rest: bytes) -> None:
    """C7.2: once, short of a crash in the very act of sending."""
    gateway.raw = b"HTTP/1.1 202 Accepted\r\n" + rest
    posting.post_sms()
    assert attempted()[0].state == MessageState.SENT


def test_a_conversation_ends_however_slowly_it_drips(monkeypatch: pytest.MonkeyPatch, gateway: Gateway) -> None:
    monkeypatch.setattr(delivery, "SMS_WITHIN_SECONDS", 1.0)
    gateway.dripping, gateway.raw = True, b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 200 + b"\r\n\r\n"
    posting.post_sms()
    message, wait = attempted()
    assert wait is not None
    assert "TimeoutError" in message.last_error


def test_a_secret_that_makes_no_header_is_not_quoted(settings: Any, gateway: Gateway) -> None:
    settings.SMS_HTTP_TOKEN = "t0ken\nwith a line"
    posting.post_sms()
    assert attempted()[1] is not None
    assert "t0ken" not in kept()


class Broken(sms_transports.SmsBackend):
    """An operator's own backend class, which fails and quotes the value in its error."""

    def send(self, text: Sms, *, message_id: str, within: float) -> Receipt:
        raise ConnectionError(f"https://sms.example/?token=s3cret&to={text.number}&text={text.text}")


@pytest.mark.parametrize(
    ("path", "noted"),
    [(f"{__name__}.Broken", "ConnectionError"), ("nothing.There", "ImproperlyConfigured")],
)
def test_whatever_goes_wrong_in_a_backend_is_a_try_with_its_reason_and_no_secret(
    settings: Any, path: str, noted: str
) -> None:
    """C7.2: as with mails. Once it stayed "taken", and nobody knew why."""
    settings.SMS_BACKEND = path
    sms_transports._made.cache_clear()
    posting.post_sms()
    message, wait = attempted()
    assert wait is not None
    assert (message.state, message.last_error) == (MessageState.QUEUED, noted)
    assert posting.steps(message) == ["taken", "deferred"]
    assert "s3cret" not in kept()
    assert posting.NUMBER not in kept()


@pytest.mark.parametrize("path", ["nothing.There", "apps.mail.sms.Text", f"{PATH}Twilio"])
def test_a_wrong_setting_is_named(settings: Any, path: str) -> None:
    settings.SMS_BACKEND = path
    sms_transports._made.cache_clear()
    with pytest.raises(ImproperlyConfigured, match="SMS_BACKEND"):
        sms_transports.configured()


def test_a_file_takes_them_and_is_its_owners_alone(settings: Any, tmp_path: Path) -> None:
    file = tmp_path / "sms.jsonl"
    settings.SMS_BACKEND, settings.SMS_FILE_PATH = f"{PATH}File", str(file)
    message = posting.post_sms()
    assert attempted()[1] is None
    line = json.loads(file.read_text())
    assert (line["to"], line["from"], line["id"]) == (posting.NUMBER, "Acme", str(message.id))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    message.refresh_from_db()
    assert (message.state, message.content) == (MessageState.SENT, "")


def test_a_file_that_cannot_be_written_is_tried_again(settings: Any, tmp_path: Path) -> None:
    settings.SMS_BACKEND, settings.SMS_FILE_PATH = f"{PATH}File", str(tmp_path)
    posting.post_sms()
    assert attempted()[1] is not None


def test_the_console_does_not_show_the_whole_number(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.SMS_BACKEND = f"{PATH}Console"
    posting.post_sms()
    assert attempted()[1] is None
    assert posting.NUMBER not in caplog.text


def test_a_worker_sends_them(settings: Any, tmp_path: Path, make_worker: Callable[..., Worker]) -> None:
    """C7.1: SMS go the ways of mail."""
    file = tmp_path / "sms.jsonl"
    settings.SMS_BACKEND = f"{PATH}File"
    make_worker(SMS_BACKEND=f"{PATH}File", SMS_FILE_PATH=str(file))
    message = posting.post_sms()
    wait_until(lambda: Message.objects.get(id=message.id).state == MessageState.SENT)
    assert [json.loads(line)["id"] for line in file.read_text().splitlines()] == [str(message.id)]
    assert posting.steps(message) == ["taken", "accepted"]
