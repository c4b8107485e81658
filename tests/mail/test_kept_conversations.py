"""A conversation with the mail server is kept for the next mail, and costs no mail and no second copy when it ends as it likes."""

import os
import signal
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from django.utils import timezone

from apps.core import row_lease
from apps.mail import delivery, idle_conversations, smtp
from apps.mail.models import LedgerStep, Message, MessageState
from apps.mail.transports import Transport
from tests.mail import posting
from tests.mail.smtp import MailServer
from tests.worker import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def send_one(**facts: Any) -> Message:
    """One try."""
    message = posting.post(**facts)
    delivery.attempt(message.id, now=timezone.now())
    message.refresh_from_db()
    return message


@pytest.mark.parametrize("knows_pipelining", [False, True])
def test_mails_follow_each_other_in_one_conversation(mail_server: MailServer, knows_pipelining: bool) -> None:
    mail_server.knows_pipelining = knows_pipelining
    for number in range(4):
        assert send_one(recipient=f"a{number}@example.com").state == MessageState.SENT
    assert [letter.recipients for letter in mail_server.letters] == [[f"a{number}@example.com"] for number in range(4)]
    assert mail_server.greetings == 1


@pytest.mark.parametrize("knows_pipelining", [False, True])
@pytest.mark.parametrize("command", ["MAIL", "RCPT"])
@pytest.mark.parametrize(
    "answer", ["421 4.7.0 Try again later, closing connection", "452 4.5.3 Too many", "550 5.7.0 Enough"]
)
def test_a_server_that_wants_no_more_mails_in_a_conversation_gets_them_in_another(
    mail_server: MailServer, command: str, answer: str, knows_pipelining: bool
) -> None:
    """In the same try: no user waits for that."""
    mail_server.knows_pipelining = knows_pipelining
    mail_server.most_letters, mail_server.says_then = 2, {command: answer}
    for _ in range(5):
        assert posting.steps(send_one()) == ["taken", "accepted"]
    assert (len(mail_server.letters), mail_server.greetings) == (5, 3)


def test_what_a_new_conversation_says_counts(mail_server: MailServer) -> None:
    send_one()
    mail_server.answer_to_recipient = "450 4.2.0 greylisted"
    message = send_one()
    assert (message.state, message.last_error) == (MessageState.QUEUED, "450 4.2.0 greylisted")
    assert posting.steps(message) == ["taken", "deferred"]


@pytest.mark.parametrize("knows_pipelining", [False, True])
def test_an_address_that_nobody_has_is_asked_for_once(mail_server: MailServer, knows_pipelining: bool) -> None:
    mail_server.knows_pipelining = knows_pipelining
    send_one()
    mail_server.answer_to_recipient = "550 5.1.1 no such user"
    assert send_one().state == MessageState.FAILED
    assert (mail_server.greetings, mail_server.conversations) == (1, 1)
    mail_server.answer_to_recipient = "250 Ok"
    assert send_one().state == MessageState.SENT


def test_a_conversation_that_the_server_has_ended_meanwhile_costs_no_try(mail_server: MailServer) -> None:
    send_one()
    mail_server.stop()
    mail_server.start()
    assert posting.steps(send_one()) == ["taken", "accepted"]
    assert (len(mail_server.letters), mail_server.greetings) == (2, 2)


def test_a_server_that_is_gone_meanwhile_is_down(mail_server: MailServer) -> None:
    send_one()
    mail_server.stop()
    message = send_one()
    assert posting.steps(message) == ["taken", "deferred"]
    mail_server.start()
    delivery.attempt(message.id, now=timezone.now() + timedelta(seconds=60))
    assert len(mail_server.letters) == 2


def test_a_conversation_that_hangs_is_soon_given_up_for_a_new_one(mail_server: MailServer, monkeypatch: Any) -> None:
    """As behind a firewall that has forgotten it: no goodbye ever comes."""
    monkeypatch.setattr(smtp, "KEPT_ANSWERS_WITHIN_SECONDS", 0.3)
    monkeypatch.setattr(smtp, "QUIT_WITHIN_SECONDS", 0.1)
    mail_server.most_letters, mail_server.says_then = 1, {"MAIL": ""}
    send_one()
    assert posting.steps(send_one()) == ["taken", "accepted"]
    assert (len(mail_server.letters), mail_server.greetings) == (2, 2)
    mail_server.says_then = {"MAIL": "421 Bye"}


def test_a_letter_that_was_out_when_the_conversation_broke_is_not_sent_again_in_the_same_try(
    mail_server: MailServer,
) -> None:
    """The server may have it. As with a new conversation, the next try bears the same Message-ID."""
    send_one()
    mail_server.cutting = True
    message = send_one()
    assert posting.steps(message) == ["taken", "deferred"]
    assert (mail_server.conversations, mail_server.greetings) == (2, 1)
    mail_server.cutting = False
    delivery.attempt(message.id, now=timezone.now() + timedelta(seconds=60))
    assert [letter.message["Message-ID"].strip() for letter in mail_server.letters[1:]] == [
        f"<{message.id}@auth.example.test>"
    ]


def test_a_server_that_takes_too_long_with_a_letter_is_not_given_it_twice_in_the_same_try(
    mail_server: MailServer, settings: Any
) -> None:
    send_one()
    settings.EMAIL_ACCEPTANCE_TIMEOUT_SECONDS = 0.3
    mail_server.hanging = True
    message = send_one()
    assert "timed out" in posting.answer(message, LedgerStep.DEFERRED)[1]
    assert mail_server.conversations == 2


def test_each_account_has_conversations_of_its_own(make_mail_server: Callable[..., MailServer], settings: Any) -> None:
    """Mail of one never goes out in the name of another."""
    by_whom: list[str] = []

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        by_whom.append(data.login.decode())
        return AuthResult(success=True)

    server = make_mail_server(authenticator=authenticate, auth_require_tls=False)
    for account in ("ada", "bob", "ada", "bob"):
        settings.EMAIL_URL = f"smtp://{account}:secret@127.0.0.1:{server.port}"
        assert send_one().state == MessageState.SENT
    assert by_whom == ["ada", "bob"]


def test_one_that_is_not_needed_any_more_is_ended_with_a_goodbye(mail_server: MailServer, monkeypatch: Any) -> None:
    monkeypatch.setattr(idle_conversations, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(idle_conversations, "LOOKED_AT_EVERY_SECONDS", 0.05)
    send_one()
    wait_until(lambda: mail_server.goodbyes == 1)
    send_one()
    wait_until(lambda: mail_server.goodbyes == 2)


def test_after_its_longest_time_the_servers_name_is_looked_up_again(mail_server: MailServer, monkeypatch: Any) -> None:
    monkeypatch.setattr(idle_conversations, "LONGEST_SECONDS", 0.0)
    send_one()
    send_one()
    assert mail_server.greetings == 2


def test_what_the_parent_keeps_is_not_its_childrens(mail_server: MailServer) -> None:
    """Two that speak in one conversation would mix their mails."""
    send_one()
    place = Transport(mail_server.url)._place
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # the child does nothing that threads could have left locked
        child = os.fork()
    if not child:
        os._exit(0 if idle_conversations.take(place) is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    send_one()
    assert (len(mail_server.letters), mail_server.greetings, mail_server.goodbyes) == (2, 1, 0)


def test_a_child_begins_even_if_a_conversation_was_being_taken_at_that_moment(mail_server: MailServer) -> None:
    """A lock that another thread held stays locked in the child, where nobody ever opens it."""
    send_one()
    with idle_conversations._waiting._lock, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
        if not child:
            os._exit(0)
    ended = wait_for(child)
    assert ended == 0


def wait_for(child: int) -> int | None:
    """Its exit code; None if it hangs (it is ended then)."""
    try:
        wait_until(lambda: os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None)
    except AssertionError:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return None
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_mail_that_was_taken_is_sent_even_if_its_conversation_cannot_be_kept(
    mail_server: MailServer, monkeypatch: Any
) -> None:
    """The system allows no further thread: that must not look as if the server had not taken the mail, and send it again."""

    def refuse(_thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(idle_conversations.Thread, "start", refuse)
    monkeypatch.setattr(row_lease.lease_keeper, "keeping", lambda _: nullcontext())  # it has a thread, too
    assert posting.steps(send_one()) == ["taken", "accepted"]
    assert posting.steps(send_one()) == ["taken", "accepted"]
    assert len(mail_server.letters) == 2
