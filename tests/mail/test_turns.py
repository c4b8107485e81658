"""C7: mails leave in order of age, and fairly between customers: the flood of one does not delay the mail of another."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.ids import new_id
from apps.mail import delivery, tasks
from apps.mail.content import Branding
from apps.mail.models import Message, MessageState
from tests import races
from tests.mail import posting
from tests.mail.smtp import MailServer
from tests.worker import Worker, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def post(brand: Branding, *names: str) -> list[Message]:
    """One mail to each of these."""
    return [posting.post(brand, recipient=f"{name}@example.com") for name in names]


def run_tasks(messages: Sequence[Message]) -> None:
    """As a worker does that takes them from the queue in the order in which they were put there."""
    for message in messages:
        tasks.send(str(message.id))


def arrived(mail_server: MailServer) -> list[str]:
    return [letter.recipients[0].partition("@")[0] for letter in mail_server.letters]


@pytest.fixture
def two(mail_server: MailServer) -> tuple[Branding, Branding]:
    return posting.branding(), posting.branding()


def test_the_one_mail_of_a_customer_does_not_wait_behind_the_many_of_another(
    mail_server: MailServer, two: tuple[Branding, Branding]
) -> None:
    flood = post(two[0], *(f"a{number}" for number in range(20)))
    run_tasks(flood[:5])
    post(two[1], "b0")
    run_tasks(flood[5:7])
    assert "b0" in arrived(mail_server)[5:7]


def test_customers_take_turns_and_the_mails_of_each_keep_their_order(
    mail_server: MailServer, two: tuple[Branding, Branding]
) -> None:
    posted = [*post(two[0], "a0", "a1", "a2", "a3"), *post(two[1], "b0", "b1"), *post(posting.branding(), "c0")]
    run_tasks(posted)
    assert arrived(mail_server) == ["a0", "b0", "c0", "a1", "b1", "a2", "a3"]


def test_who_waited_before_is_not_overtaken_by_who_comes_later(
    mail_server: MailServer, two: tuple[Branding, Branding]
) -> None:
    """The newcomer joins the round at hand, not the first one that there ever was."""
    early = [*post(two[0], "a0", "a1", "a2", "a3"), *post(two[1], "b0", "b1", "b2")]
    run_tasks(early[:4])
    late = post(posting.branding(), "c0", "c1")
    run_tasks([*early[4:], *late])
    assert arrived(mail_server) == ["a0", "b0", "a1", "b1", "a2", "b2", "c0", "a3", "c1"]


@pytest.mark.race
def test_of_many_workers_at_once_each_mail_is_sent_once_and_by_one(
    mail_server: MailServer, two: tuple[Branding, Branding]
) -> None:
    posted = [
        *post(two[0], *(f"a{number}" for number in range(24))),
        *post(two[1], *(f"b{number}" for number in range(8))),
    ]
    races.at_once(8, lambda number: run_tasks(posted[number::8]))
    assert Counter(arrived(mail_server)) == Counter(message.recipient.partition("@")[0] for message in posted)
    assert set(Message.objects.values_list("state", flat=True)) == {MessageState.SENT}


def test_a_mail_that_is_tried_again_goes_with_its_own_task_and_takes_nobodys_turn(
    mail_server: MailServer, two: tuple[Branding, Branding]
) -> None:
    """Else it would be lost among the tasks of those that wait in line."""
    (again,) = post(two[0], "again")
    mail_server.answer_to_data = "451 4.3.0 Try later"
    run_tasks([again])
    mail_server.answer_to_data = "250 2.0.0 Ok"
    Message.objects.filter(id=again.id).update(next_try_at=timezone.now())
    in_line = post(two[1], "b0", "b1")
    run_tasks(in_line[:1])
    tasks.send_again(str(again.id))
    assert arrived(mail_server) == ["b0", "again"]
    run_tasks(in_line[1:])
    assert arrived(mail_server) == ["b0", "again", "b1"]


def test_one_that_waits_for_its_next_try_holds_nobody_up(
    mail_server: MailServer, two: tuple[Branding, Branding]
) -> None:
    mail_server.answer_to_data = "451 4.3.0 Try later"
    run_tasks(post(two[0], "a0"))
    Message.objects.update(next_try_at=timezone.now() + timedelta(seconds=60))
    mail_server.answer_to_data = "250 2.0.0 Ok"
    run_tasks(post(two[0], "a1"))
    assert arrived(mail_server) == ["a1"]


def test_a_task_whose_mail_was_sent_by_another_finds_nothing_to_do(
    mail_server: MailServer, two: tuple[Branding, Branding]
) -> None:
    posted = post(two[0], "a0")
    run_tasks([*posted, *posted, *posted])
    tasks.send(str(new_id()))
    assert arrived(mail_server) == ["a0"]
    assert delivery.attempt_next(now=timezone.now()) is None


def test_a_real_worker_sends_the_mail_of_another_customer_in_the_midst_of_a_flood(
    mail_server: MailServer, make_worker: Callable[..., Worker], two: tuple[Branding, Branding]
) -> None:
    flood = post(two[0], *(f"a{number}" for number in range(150)))
    make_worker(EMAIL_URL=mail_server.url)
    wait_until(lambda: len(mail_server.letters) > 10)
    post(two[1], "b0")
    before = len(mail_server.letters)
    wait_until(lambda: len(mail_server.letters) == len(flood) + 1)
    assert arrived(mail_server).index("b0") <= before + 4, "each process may have begun one, and another is on its way"
