"""Trying to send: one lease, two transports, a ledger, and no content left behind."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from django.utils import timezone

from apps.core.row_lease import LeaseLost
from apps.customers.models import Customer
from apps.mail import delivery, outbox
from apps.mail.delivery import Overdue
from apps.mail.errors import NothingToResend
from apps.mail.models import LedgerEntry, LedgerStep, Message, MessageState
from tests import factories, races
from tests.mail import posting
from tests.mail.smtp import MailServer
from tests.ports import free_port

pytestmark = pytest.mark.django_db(transaction=True)


def attempt(message: Message, *, after: float = 0) -> float | None:
    wait = delivery.attempt(message.id, now=timezone.now() + timedelta(seconds=after))
    message.refresh_from_db()
    return wait


def test_an_accepted_mail_is_sent_and_its_ledger_says_by_whom_with_which_answer(mail_server: MailServer) -> None:
    """C7.2: each mail has a ledger."""
    message = posting.post(posting.branding(sender_name="Acme Ltd", reply_to="help@acme.example"))

    assert attempt(message) is None

    assert message.state == MessageState.SENT
    assert posting.steps(message) == ["taken", "accepted"]
    assert posting.answer(message, LedgerStep.ACCEPTED) == (mail_server.name, "250 2.0.0 Ok: queued as 4F2B")
    (letter,) = mail_server.letters
    assert letter.recipients == ["ada@example.com"]
    assert letter.message["From"] == "Acme Ltd <no-reply@auth.example.test>"
    assert letter.message["Reply-To"] == "help@acme.example"
    assert letter.message["Subject"] == "482913 is your code for Acme"
    assert letter.part("plain").rstrip().endswith("\n@example.com #482913")
    assert "482913" in letter.part("html")


def test_what_a_mail_said_is_forgotten_once_it_is_sent(mail_server: MailServer) -> None:
    """C2.4: a mail that holds a code is sealed while it waits, and empty afterwards."""
    message = posting.post()
    assert posting.CODE not in message.content
    assert message.content.startswith("k1.")

    attempt(message)

    assert message.content == ""


def test_a_sent_mail_is_not_sent_again(mail_server: MailServer) -> None:
    message = posting.post()
    attempt(message)
    assert attempt(message, after=1000) is None
    assert len(mail_server.letters) == 1


@pytest.mark.race
def test_of_many_workers_at_once_exactly_one_sends(mail_server: MailServer) -> None:
    message = posting.post()
    races.at_once(16, lambda _: delivery.attempt(message.id, now=timezone.now()))
    assert len(mail_server.letters) == 1
    assert posting.steps(message) == ["taken", "accepted"]


def test_a_message_in_a_living_workers_hands_is_left_alone_and_taken_over_when_its_lease_ends(
    mail_server: MailServer, settings: Any
) -> None:
    settings.MAIL_LEASE_SECONDS = 300
    message = posting.post()
    assert delivery._take_named(message.id, timezone.now()) is not None  # a worker took it, and died

    attempt(message, after=200)
    assert mail_server.letters == []

    attempt(message, after=301)
    assert len(mail_server.letters) == 1
    assert posting.steps(message) == ["taken", "taken", "accepted"]


def test_a_worker_whose_lease_was_lost_does_not_overrule_its_successor(mail_server: MailServer, settings: Any) -> None:
    message = posting.post()
    slow = delivery._take_named(message.id, timezone.now())
    attempt(message, after=settings.MAIL_LEASE_SECONDS + 1)

    assert slow is not None
    failure = delivery.TransportDown("old", "450 later")
    assert delivery._defer(slow, failure) is None
    assert delivery._give_up(slow.row, failure, timezone.now()) is False
    with pytest.raises(LeaseLost):
        slow.renew()

    message.refresh_from_db()
    assert message.state == MessageState.SENT


def test_who_was_away_for_longer_than_its_lease_sends_nothing(mail_server: MailServer, settings: Any) -> None:
    """C7.2: its successor does. So a mail is not sent twice because a machine slept."""
    message = posting.post()
    sleeper = delivery._take_named(message.id, timezone.now())
    assert sleeper is not None
    mail_server.hanging = False
    attempt(message, after=settings.MAIL_LEASE_SECONDS + 1)
    with pytest.raises(LeaseLost):
        delivery._send(sleeper)
    assert len(mail_server.letters) == 1


def test_a_server_that_hangs_keeps_no_worker_for_ever(mail_server: MailServer, settings: Any) -> None:
    settings.EMAIL_ACCEPTANCE_TIMEOUT_SECONDS = 0.5
    mail_server.hanging = True
    message = posting.post()

    wait = attempt(message)

    assert wait is not None
    assert message.state == MessageState.QUEUED
    assert "timed out" in posting.answer(message, LedgerStep.DEFERRED)[1]


@pytest.mark.parametrize("answer", ["450 4.2.0 greylisted", "451 4.3.0 try again later"])
def test_a_temporary_refusal_is_tried_again(mail_server: MailServer, answer: str) -> None:
    message = posting.post()
    mail_server.answer_to_recipient = answer
    wait = attempt(message)

    assert wait is not None
    assert message.state == MessageState.QUEUED
    assert message.last_error == answer
    assert posting.answer(message, LedgerStep.DEFERRED) == (mail_server.name, answer)

    mail_server.answer_to_recipient = "250 Ok"
    attempt(message, after=wait + 1)
    assert message.state == MessageState.SENT
    assert posting.steps(message) == ["taken", "deferred", "taken", "accepted"]


@pytest.mark.parametrize("phase", ["recipient", "data"])
def test_a_permanent_refusal_of_the_mail_fails_it_at_once(mail_server: MailServer, phase: str) -> None:
    message = posting.post()
    answer = "550 5.1.1 no such user"
    setattr(mail_server, f"answer_to_{phase}", answer)

    assert attempt(message) is None

    assert message.state == MessageState.FAILED
    assert posting.steps(message) == ["taken", "failed"]
    assert posting.answer(message, LedgerStep.FAILED) == (mail_server.name, answer)
    assert attempt(message, after=1000) is None
    assert len(mail_server.letters) == 0


@pytest.mark.parametrize(
    ("phase", "answer"),
    [
        ("recipient", "450 4.2.0 greylisted"),
        ("recipient", "550 5.4.5 daily sending quota exceeded"),
        ("recipient", "550 this account is suspended"),
        ("data", "554 5.7.1 message rejected as spam"),
        ("data", "552 5.2.2 over quota"),
        ("data", "550 5.1.8 sender domain unknown"),
        ("data", "550 5.10.1 whatever that is"),
    ],
)
def test_the_fallback_is_tried_for_whatever_is_not_the_recipients_address(
    make_mail_server: Callable[..., MailServer], settings: Any, phase: str, answer: str
) -> None:
    """C7.2."""
    first, fallback = make_mail_server(), make_mail_server()
    settings.EMAIL_URL, settings.EMAIL_URL_FALLBACK = first.url, fallback.url
    setattr(first, f"answer_to_{phase}", answer)
    message = posting.post()

    attempt(message)

    assert message.state == MessageState.SENT
    assert posting.steps(message) == ["taken", "deferred", "accepted"]
    assert posting.answer(message, LedgerStep.DEFERRED) == (first.name, answer)
    assert len(fallback.letters) == 1


def test_an_address_that_nobody_has_is_not_tried_at_the_fallback(
    make_mail_server: Callable[..., MailServer], settings: Any
) -> None:
    """C7.2: 5.1.x."""
    first, fallback = make_mail_server(), make_mail_server()
    settings.EMAIL_URL, settings.EMAIL_URL_FALLBACK = first.url, fallback.url
    first.answer_to_recipient = "550 5.1.10 the domain takes no mail"
    message = posting.post()
    attempt(message)
    assert message.state == MessageState.FAILED
    assert fallback.conversations == 0


def test_a_refusal_that_is_not_about_the_recipient_is_tried_again_until_the_code_expires(
    mail_server: MailServer,
) -> None:
    """C7.2: a quota opens again, a suspension is lifted."""
    message = posting.post()
    mail_server.answer_to_recipient = "550 5.4.5 daily sending quota exceeded"
    wait = attempt(message)
    assert (wait is not None, message.state) == (True, MessageState.QUEUED)
    mail_server.answer_to_recipient = "250 Ok"
    attempt(message, after=(wait or 0) + 1)
    assert message.state == MessageState.SENT


@pytest.mark.parametrize(
    "url",
    [
        "smtp://us:passw%C3%B6rd@127.0.0.1:{port}",  # the server offers no sign-in
        "smtp://127.0.0.1:not-a-port",
        "smtp://:25",
        "ftp://us:s3cret@127.0.0.1",
        "smtp://xn--a.example:25",
        "nonsense",
    ],
)
def test_whatever_goes_wrong_within_us_is_a_try_with_its_reason_and_the_fallback_is_tried(
    make_mail_server: Callable[..., MailServer], settings: Any, url: str
) -> None:
    """C7.2."""
    first, fallback = make_mail_server(), make_mail_server()
    settings.EMAIL_URL, settings.EMAIL_URL_FALLBACK = url.format(port=first.port), fallback.url
    message = posting.post()

    attempt(message)

    assert message.state == MessageState.SENT
    assert posting.steps(message) == ["taken", "deferred", "accepted"]
    _server, noted = posting.answer(message, LedgerStep.DEFERRED)
    assert noted
    for secret in ("passw", "s3cret", posting.CODE):
        assert secret not in noted


def test_a_mail_that_cannot_even_be_read_waits_for_the_next_try_with_its_reason(
    mail_server: MailServer, settings: Any
) -> None:
    """As when a master key is missing: once a mail stayed "taken", and nobody knew why."""
    message, keys = posting.post(), settings.MASTER_KEYS
    settings.MASTER_KEYS = {"other": bytes(32)}
    wait = attempt(message)
    assert (message.state, message.leased_until) == (MessageState.QUEUED, None)
    assert message.last_error == "DecryptionFailed"
    assert posting.answer(message, LedgerStep.DEFERRED) == ("", "DecryptionFailed")
    settings.MASTER_KEYS = keys
    attempt(message, after=(wait or 0) + 1)
    assert message.state == MessageState.SENT


def test_a_mail_that_this_version_cannot_render_waits_for_the_next_try_with_its_reason(mail_server: MailServer) -> None:
    """As when a newer version has posted it: a worker of that version sends it."""
    message = posting.post(kind="mail_of_tomorrow")
    wait = attempt(message)
    assert (message.state, message.last_error) == (MessageState.QUEUED, "TemplateDoesNotExist")
    assert wait and not mail_server.letters


def test_a_mail_is_of_the_brand_that_the_customer_had_when_it_was_posted(mail_server: MailServer) -> None:
    """C7.3: it waits as what it is made of, and the worker renders it."""
    customer = factories.customer(name="Laden", sender_name="Der Laden")
    message = posting.post(factories.state_of(customer).branding)
    Customer.objects.filter(id=customer.id).update(name="Bude", sender_name="Die Bude")
    attempt(message)
    (letter,) = mail_server.letters
    assert letter.message["Subject"] == f"{posting.CODE} is your code for Laden"
    assert letter.message["From"].startswith("Der Laden <")


def test_names_and_passwords_beyond_ascii_sign_in(make_mail_server: Callable[..., MailServer], settings: Any) -> None:
    """RFC 4616: they are UTF-8."""
    given: list[tuple[bytes, bytes]] = []

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        given.append((data.login, data.password))
        return AuthResult(success=True)

    server = make_mail_server(authenticator=authenticate, auth_require_tls=False)
    settings.EMAIL_URL = f"smtp://j%C3%B6rg:p%C3%A4ss%3Aw%C3%B6rd@127.0.0.1:{server.port}"
    message = posting.post()
    attempt(message)
    assert message.state == MessageState.SENT, message.last_error
    assert given == [("jörg".encode(), "päss:wörd".encode())]


def test_a_server_that_knows_no_letters_beyond_ascii_is_passed_over_for_one_that_does(
    make_mail_server: Callable[..., MailServer], settings: Any
) -> None:
    """RFC 6531: never as `=?utf-8?…?=@example.com`, which is another mailbox."""
    first, fallback = make_mail_server(enable_SMTPUTF8=False), make_mail_server()
    settings.EMAIL_URL, settings.EMAIL_URL_FALLBACK = first.url, fallback.url
    message = posting.post(recipient="äda@example.com")
    attempt(message)
    assert message.state == MessageState.SENT
    assert fallback.letters[0].recipients == ["äda@example.com"]
    assert "SMTPUTF8" in posting.answer(message, LedgerStep.DEFERRED)[1]


def test_we_say_who_we_are_by_the_host_of_our_public_url(mail_server: MailServer, settings: Any) -> None:
    """C7.3: EHLO, Message-ID and the default sender; never "localhost" or the sender's domain."""
    settings.PUBLIC_URL, settings.DEFAULT_FROM_EMAIL = "https://Anmeldung.Großhandel.example:8443", ""
    message = posting.post()
    attempt(message)
    (letter,) = mail_server.letters
    host = "anmeldung.xn--grohandel-i1a.example"
    assert letter.greeted_as == host
    assert letter.message["Message-ID"].strip() == f"<{message.id}@{host}>"
    assert letter.sender == f"no-reply@{host}"


@pytest.mark.parametrize(("host", "literal"), [("192.0.2.1", "[192.0.2.1]"), ("[2001:db8::1]", "[IPv6:2001:db8::1]")])
def test_an_address_is_greeted_as_a_literal(mail_server: MailServer, settings: Any, host: str, literal: str) -> None:
    settings.PUBLIC_URL = f"http://{host}:8000"
    attempt(posting.post())
    assert mail_server.letters[0].greeted_as == literal


def test_a_sender_beyond_ascii_is_written_as_dns_knows_it(mail_server: MailServer, settings: Any) -> None:
    """C7.3, seen: it started, and then every code was a 500."""
    settings.DEFAULT_FROM_EMAIL = "Straßenbahn <no-reply@straße.example>"
    message = posting.post(posting.branding(name="Großhandel, GmbH", reply_to="hilfe@straße.example"))
    attempt(message)
    assert message.state == MessageState.SENT, message.last_error
    (letter,) = mail_server.letters
    assert letter.sender == "no-reply@xn--strae-oqa.example"
    (sender,) = letter.message["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Großhandel, GmbH", "no-reply@xn--strae-oqa.example")
    assert [address.addr_spec for address in letter.message["Reply-To"].addresses] == ["hilfe@xn--strae-oqa.example"]


def test_a_server_that_is_down_is_passed_over_for_the_fallback(
    make_mail_server: Callable[..., MailServer], settings: Any
) -> None:
    """C7.2: EMAIL_URL_FALLBACK is tried when the first is down."""
    fallback = make_mail_server()
    dead = free_port()
    settings.EMAIL_URL, settings.EMAIL_URL_FALLBACK = f"smtp://127.0.0.1:{dead}", fallback.url
    message = posting.post()

    attempt(message)

    assert message.state == MessageState.SENT
    assert posting.steps(message) == ["taken", "deferred", "accepted"]
    assert posting.answer(message, LedgerStep.DEFERRED)[0] == f"127.0.0.1:{dead}"
    assert posting.answer(message, LedgerStep.ACCEPTED)[0] == fallback.name


def test_a_server_that_does_not_take_us_is_down_not_refusing_the_mail(
    make_mail_server: Callable[..., MailServer], settings: Any
) -> None:
    """A wrong password of ours (or no sign-in at all, as here) must not cost a user the mail."""
    first, fallback = make_mail_server(), make_mail_server()
    settings.EMAIL_URL, settings.EMAIL_URL_FALLBACK = f"smtp://us:wrong@127.0.0.1:{first.port}", fallback.url
    message = posting.post()

    attempt(message)

    assert message.state == MessageState.SENT
    assert len(fallback.letters) == 1
    assert "wrong" not in "".join(LedgerEntry.objects.values_list("answer", flat=True))


def test_no_credential_is_in_what_a_transport_shows(settings: Any) -> None:
    settings.EMAIL_URL = "smtp+tls://postmaster:s3cret@mail.example.com"
    (transport,) = delivery.transports.configured()
    assert transport.server == "mail.example.com:587"
    assert "s3cret" not in repr(transport)


def test_an_outage_is_bridged_and_the_mail_arrives_when_the_server_is_back(mail_server: MailServer) -> None:
    mail_server.stop()
    message = posting.post()
    waits = [attempt(message, after=100 * number) for number in range(3)]
    assert None not in waits
    mail_server.start()

    attempt(message, after=400)

    assert message.state == MessageState.SENT
    assert len(mail_server.letters) == 1
    assert message.attempts == 4


def test_the_wait_grows_has_jitter_and_stays_within_a_minute(settings: Any) -> None:
    settings.EMAIL_URL = f"smtp://127.0.0.1:{free_port()}"
    message = posting.post(lifetime=100_000)
    waits = [attempt(message, after=100 * number) or 0 for number in range(1, 13)]
    assert all(wait <= 60.5 for wait in waits)
    assert max(waits[:2]) <= 2.5
    assert len({round(wait, 6) for wait in waits}) == len(waits)
    assert max(waits[6:]) > 3


def test_the_next_try_is_not_before_the_wait_is_over(settings: Any) -> None:
    settings.EMAIL_URL = f"smtp://127.0.0.1:{free_port()}"
    message, now = posting.post(), timezone.now()
    assert delivery.attempt(message.id, now=now) is not None
    assert delivery.attempt(message.id, now=now) is None, "half a second is the shortest wait"
    message.refresh_from_db()
    assert message.attempts == 1


def test_what_was_not_sent_before_its_code_expired_has_failed_and_says_nothing_any_more(settings: Any) -> None:
    settings.EMAIL_URL = f"smtp://127.0.0.1:{free_port()}"
    message = posting.post()
    other = posting.post(lifetime=10_000)
    attempt(message)

    assert attempt(message, after=601) is None  # too late to be tried
    assert delivery.expire(now=timezone.now() + timedelta(seconds=601)) == 1
    assert delivery.expire(now=timezone.now() + timedelta(seconds=601)) == 0

    message.refresh_from_db()
    other.refresh_from_db()
    assert (message.state, message.content) == (MessageState.FAILED, "")
    assert posting.steps(message) == ["taken", "deferred", "failed"]
    assert other.state == MessageState.QUEUED
    assert other.content != ""


def test_an_operator_can_send_a_failed_mail_again_while_its_code_lives(mail_server: MailServer) -> None:
    message = posting.post()
    mail_server.answer_to_recipient = "550 5.1.1 no such user"
    attempt(message)
    assert message.state == MessageState.FAILED
    mail_server.answer_to_recipient = "250 Ok"

    outbox.resend(message=message, now=timezone.now())
    attempt(message)

    assert message.state == MessageState.SENT
    assert posting.steps(message) == ["taken", "failed", "resent", "taken", "accepted"]


def test_a_mail_is_not_sent_again_once_it_is_sent_expired_or_in_a_workers_hands(mail_server: MailServer) -> None:
    sent, taken, expired = posting.post(), posting.post(), posting.post()
    attempt(sent)
    delivery._take_named(taken.id, timezone.now())
    late = timezone.now() + timedelta(seconds=601)
    cases = [(sent, timezone.now()), (taken, timezone.now()), (expired, late)]
    for message, now in cases:
        with pytest.raises(NothingToResend):
            outbox.resend(message=message, now=now)
    assert LedgerEntry.objects.filter(step=LedgerStep.RESENT).count() == 0


def test_every_try_bears_the_same_message_id(mail_server: MailServer) -> None:
    """As after a crash between the server's answer and our writing it down: a mail program can tell the repetition."""
    message = posting.post()
    sealed = message.content
    attempt(message)
    Message.objects.filter(id=message.id).update(state=MessageState.QUEUED, content=sealed)
    attempt(message)
    assert [letter.message["Message-ID"] for letter in mail_server.letters] == [f"<{message.id}@auth.example.test>"] * 2


def test_suppressed_and_sandboxed_messages_never_go_out(mail_server: MailServer) -> None:
    """C1.7: a test key sends no mail."""
    now = timezone.now()
    suppressed = outbox.suppress(draft=posting.draft(), branding=posting.branding(), quota=posting.PLENTY, now=now)
    sandboxed = posting.post(sandbox_key_id="k" * 12)
    for message in (suppressed, sandboxed):
        assert attempt(message) is None
    assert delivery.take_overdue(now=now + timedelta(seconds=60), queue_is_empty=True) == []
    assert mail_server.conversations == 0


def test_what_a_sandboxed_mail_said_is_kept_for_a_day_after_it_expired() -> None:
    """C1.7: it is listed, for its own key alone."""
    key, other_key = "a" * 12, "b" * 12
    message = posting.post(sandbox_key_id=key)
    posting.post(sandbox_key_id=other_key)
    expired = message.expires_at

    assert list(outbox.sandbox_messages(key)) == [message]
    delivery.expire(now=expired + timedelta(hours=23))
    message.refresh_from_db()
    assert posting.CODE in outbox.content_of(message).text

    delivery.expire(now=expired + timedelta(hours=25))
    message.refresh_from_db()
    assert message.content == ""
    assert list(outbox.sandbox_messages(key)) == [message]


def test_the_sweeper_finds_what_was_forgotten_and_leaves_alone_what_is_fresh() -> None:
    now = timezone.now()
    forgotten, abandoned, fresh, held = (
        posting.post(now=now - timedelta(seconds=seconds)) for seconds in (11, 100, 1, 50)
    )
    delivery._take_named(abandoned.id, now - timedelta(seconds=90))
    delivery._take_named(held.id, now)
    assert delivery.take_overdue(now=now, queue_is_empty=True) == [
        Overdue(abandoned.id, was_tried=True),
        Overdue(forgotten.id, was_tried=False),
    ]
    assert delivery.take_overdue(now=now, queue_is_empty=True) == [], "they have tasks again"
    assert fresh.enqueued_at == fresh.created_at


def test_a_lost_connection_in_the_middle_is_a_reason_to_try_again(mail_server: MailServer) -> None:
    message = posting.post()
    mail_server.cutting = True
    assert attempt(message) is not None
    mail_server.cutting = False
    attempt(message, after=10)
    assert message.state == MessageState.SENT
    assert mail_server.conversations == 2
    assert len(mail_server.letters) == 1
