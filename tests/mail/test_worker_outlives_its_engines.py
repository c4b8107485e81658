"""A worker outlives the loss of PostgreSQL and of the broker at once, with a mail in its hands."""

from collections.abc import Callable

import pytest
from django.db import connection

from apps.mail import tasks
from apps.mail.models import MessageState
from tests.engines import OwnValkey
from tests.mail import posting
from tests.mail.smtp import MailServer
from tests.mail.test_enqueueing import broker_at
from tests.worker import Worker, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
MakeWorker = Callable[..., Worker]
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def test_both_die_together_and_the_worker_goes_on_when_they_are_back(
    own_valkey: OwnValkey, mail_server: MailServer, make_worker: MakeWorker
) -> None:
    """C7.2: nothing is lost, and nobody has to start the worker again."""
    mail_server.hanging = True
    worker = make_worker(queues="mail", EMAIL_URL=mail_server.url, REDIS_URL=own_valkey.url, MAIL_LEASE_SECONDS="30")
    with broker_at(own_valkey.url.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")):
        posting.post()
        wait_until(lambda: mail_server.conversations == 1)
        own_valkey.kill()
        with connection.cursor() as cursor:
            cursor.execute(CUT)
        wait_until(lambda: "Connection to broker lost" in worker.told())
        mail_server.cutting = True
        mail_server.stop()
        mail_server.start()
        mail_server.hanging = mail_server.cutting = False
        own_valkey.start()
        wait_until(lambda: worker.told().count("Connected to") >= 2 or not worker.lives())
        assert worker.lives()
        after = posting.post()

        def sent() -> bool:
            tasks.sweep()
            after.refresh_from_db()
            return after.state == MessageState.SENT

        wait_until(sent)
    assert worker.lives()
