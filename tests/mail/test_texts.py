"""SMS: what they cost, how many go out, what takes them, and what is kept of a number."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from apps.core.ids import new_id
from apps.mail import allowances, delivery, outbox, text_transports, texts
from apps.mail.content import Branding
from apps.mail.errors import QuotaExceeded, TextsUnavailable
from apps.mail.models import LedgerEntry, Message, MessageState, TextAllowance
from apps.mail.outbox import Quota
from apps.mail.texts import TextDraft, segments
from tests import races
from tests.mail import posting

NUMBER = "+4915112345678"
FILE = "apps.mail.text_transports.File"


def post(brand: Branding | None = None, *, quota: Quota | None = posting.PLENTY, **facts: object) -> Message:
    now = timezone.now()
    values = {
        "message_id": new_id(),
        "kind": "second_factor_sms",
        "number": NUMBER,
        "locale": "en",
        "expires_at": now + timedelta(minutes=10),
        "context": {"code": posting.CODE, "minutes": 10},
        **facts,
    }
    draft = TextDraft(**values)  # type: ignore[arg-type]
    return texts.post(draft=draft, branding=brand or posting.branding(), sender="Acme", quota=quota, now=now)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("ж" * 135, 3),
        ("🦊" * 35, 1),
        ("🦊" * 36, 2),
    ],
)
def test_segments_are_what_carriers_charge_for(text: str, expected: int) -> None:
    """3GPP TS 23.038: 160 letters of seven bits, or 70 of sixteen; in several, 153 and 67."""
    assert segments(text) == expected


@pytest.mark.django_db(transaction=True)
class TestPosting:
    @pytest.fixture(autouse=True)
    def _backend(self, settings: object, tmp_path: Path) -> None:
        settings.SMS_BACKEND, settings.SMS_FILE_PATH = FILE, str(tmp_path / "sms.jsonl")  # type: ignore[attr-defined]

    def test_neither_number_nor_code_stands_in_the_table(self) -> None:
        """C2.4: phone numbers, and bodies holding a code."""
        message = post()
        row = str(Message.objects.values().get())
        assert NUMBER not in row
        assert posting.CODE not in row
        assert message.recipient == "+49 … 78"

    @pytest.mark.race
    @pytest.mark.parametrize("quota", [Quota(daily=7, monthly=1000), Quota(daily=1000, monthly=7)])
    def test_a_quota_of_n_gives_exactly_n(self, quota: Quota) -> None:
        """Issue: limits and cost quotas for SMS as for mail."""
        brand, other = posting.branding(), posting.branding()
        outcomes = races.at_once(40, lambda _: races.outcome(lambda: post(brand, quota=quota)))
        assert (outcomes.count("done"), outcomes.count("QuotaExceeded")) == (7, 33)
        post(other, quota=quota)
        posting.post(brand, quota=quota)

    def test_long_texts_use_up_more(self) -> None:
        brand = posting.branding(name="N" * 170)
        quota = Quota(daily=3, monthly=9)
        assert post(brand, quota=quota)
        with pytest.raises(QuotaExceeded) as refused:
            post(brand, quota=quota)
        assert refused.value.limit == allowances.TEXTS_PER_DAY
        assert TextAllowance.objects.get().sent_today == 2

    def test_a_sandbox_sends_and_counts_nothing(self, settings: object) -> None:
        """C1.7."""
        settings.SMS_BACKEND = ""  # type: ignore[attr-defined]
        message = post(quota=None, sandbox_key_id="abcdefghijkl")
        assert message.state == MessageState.SANDBOXED
        assert outbox.content_of(message).text.endswith(f"#{posting.CODE}")
        assert not TextAllowance.objects.exists()

    def test_without_a_backend_it_says_so(self, settings: object) -> None:
        settings.SMS_BACKEND = ""  # type: ignore[attr-defined]
        with pytest.raises(TextsUnavailable):
            post()
        assert not Message.objects.exists()

    def test_a_file_takes_them(self, tmp_path: Path) -> None:
        message = post()
        assert delivery.attempt(message.id, now=timezone.now()) is None
        line = json.loads((tmp_path / "sms.jsonl").read_text())
        assert (line["to"], line["from"], line["id"]) == (NUMBER, "Acme", str(message.id))
        message.refresh_from_db()
        assert (message.state, message.content) == (MessageState.SENT, "")

    def test_the_console_does_not_show_the_whole_number(
        self, settings: object, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.SMS_BACKEND = "apps.mail.text_transports.Console"  # type: ignore[attr-defined]
        assert delivery.attempt(post().id, now=timezone.now()) is None
        assert NUMBER not in caplog.text


class Gateway(BaseHTTPRequestHandler):
    """Twilio, or any other gateway."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server: Played = self.server  # type: ignore[assignment]
        server.requests.append((self.path, dict(self.headers), body))
        status = server.statuses.pop(0) if server.statuses else 201
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(b'{"sid": "SM1"}')

    def log_message(self, *_arguments: object) -> None:
        pass


class Played(ThreadingHTTPServer):
    """The gateway's server: what it got, and what it will answer."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Gateway)
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.statuses: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def gateway() -> Iterator[Played]:
    server = Played()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.django_db(transaction=True)
class TestGateways:
    @pytest.fixture(autouse=True)
    def _generic(self, settings: object, gateway: Played) -> None:
        settings.SMS_BACKEND = "apps.mail.text_transports.Http"  # type: ignore[attr-defined]
        settings.SMS_HTTP_URL, settings.SMS_HTTP_TOKEN = f"{gateway.url}/send?x=1", "t0ken"  # type: ignore[attr-defined]
        text_transports._made.cache_clear()

    def test_a_generic_gateway(self, gateway: Played) -> None:
        message = post()
        assert delivery.attempt(message.id, now=timezone.now()) is None
        path, headers, body = gateway.requests[0]
        assert path == "/send?x=1"
        assert headers["Authorization"] == "Bearer t0ken"
        assert headers["Idempotency-Key"] == str(message.id)
        assert json.loads(body)["to"] == NUMBER
        step = LedgerEntry.objects.get(step="accepted")
        assert (step.server, step.answer) == (gateway.url.removeprefix("http://"), '201 {"sid": "SM1"}')

    def test_twilio(self, settings: object, gateway: Played, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.SMS_BACKEND = "apps.mail.text_transports.Twilio"  # type: ignore[attr-defined]
        settings.SMS_TWILIO_ACCOUNT_SID, settings.SMS_TWILIO_AUTH_TOKEN = "AC1", "secret"  # type: ignore[attr-defined]
        settings.SMS_TWILIO_FROM = "+15005550006"  # type: ignore[attr-defined]
        monkeypatch.setattr(text_transports.Twilio, "base_url", gateway.url)
        assert delivery.attempt(post().id, now=timezone.now()) is None
        path, headers, body = gateway.requests[0]
        assert path == "/2010-04-01/Accounts/AC1/Messages.json"
        assert headers["Authorization"] == "Basic QUMxOnNlY3JldA=="
        assert parse_qs(body.decode())["To"] == [NUMBER]
        assert parse_qs(body.decode())["From"] == ["Acme"]

    @pytest.mark.parametrize("status", [500, 503, 429, 401, 302])
    def test_trouble_that_may_pass_is_tried_again(self, gateway: Played, status: int) -> None:
        gateway.statuses = [status]
        message = post()
        assert delivery.attempt(message.id, now=timezone.now()) is not None
        message.refresh_from_db()
        assert message.state == MessageState.QUEUED
        assert len(gateway.requests) == 1, "no redirect is followed"
        assert delivery.attempt(message.id, now=timezone.now() + timedelta(seconds=90)) is None
        message.refresh_from_db()
        assert message.state == MessageState.SENT

    @pytest.mark.parametrize("status", [400, 404, 422])
    def test_a_refusal_is_for_good(self, gateway: Played, status: int) -> None:
        gateway.statuses = [status]
        message = post()
        assert delivery.attempt(message.id, now=timezone.now()) is None
        message.refresh_from_db()
        assert message.state == MessageState.FAILED

    def test_a_gateway_that_is_away_is_tried_again(self, settings: object) -> None:
        settings.SMS_HTTP_URL = "http://127.0.0.1:1/"  # type: ignore[attr-defined]
        assert delivery.attempt(post().id, now=timezone.now()) is not None

    @pytest.mark.parametrize("path", ["nothing.There", "apps.mail.texts.Text", "apps.mail.text_transports.Twilio"])
    def test_a_wrong_setting_is_named(self, settings: object, path: str) -> None:
        settings.SMS_BACKEND = path  # type: ignore[attr-defined]
        text_transports._made.cache_clear()
        with pytest.raises(ImproperlyConfigured, match="SMS_BACKEND"):
            text_transports.configured()
