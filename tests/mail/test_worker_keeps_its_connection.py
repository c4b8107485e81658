"""A worker keeps its connection to PostgreSQL from mail to mail, and notices when it is gone."""

from collections.abc import Callable

import pytest
from django.db import connection

from apps.mail.models import MessageState
from tests.mail import posting
from tests.mail.smtp import MailServer
from tests.worker import Worker, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
# Not autovacuum's, which come and go.
OTHERS = """
  FROM pg_stat_activity
  WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def send_one() -> list[str]:
    """Returns its steps, once it is sent."""
    message = posting.post()

    def sent() -> bool:
        message.refresh_from_db()
        return message.state == MessageState.SENT

    wait_until(sent)
    return posting.steps(message)


def connections(what: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {what} {OTHERS} ORDER BY pid")
        return cursor.fetchall()


def test_mails_are_sent_by_the_same_connection_and_after_a_cut_by_a_new_one(
    mail_server: MailServer, make_worker: Callable[..., Worker]
) -> None:
    """A mail after the cut needs no second try: a kept connection is looked at before it is used."""
    make_worker(queues="mail", EMAIL_URL=mail_server.url)
    send_one()
    kept = connections("pid")
    for _ in range(3):
        assert send_one() == ["taken", "accepted"]
    assert connections("pid") == kept
    connections("pg_terminate_backend(pid, 60000)")
    assert send_one() == ["taken", "accepted"]
    assert not set(connections("pid")) & set(kept)
