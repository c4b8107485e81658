"""A connection is let go of when it is needed no more."""

import pytest
from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse

from apps.core.database_connections import let_go_after

pytestmark = pytest.mark.django_db(transaction=True)


def is_held() -> bool:
    """A connection that was let go of is checked at its next use."""
    return connection.health_check_done


def test_after_an_answer_the_connection_is_let_go_of() -> None:
    connection.ensure_connection()
    connection.health_check_done = True
    let_go_after(HttpResponse())
    assert not is_held()


def test_a_stream_keeps_the_connection_until_it_is_sent() -> None:
    connection.health_check_done = True
    answer = StreamingHttpResponse(b"row" for _ in range(3))
    let_go_after(answer)
    assert is_held()
    list(answer)
    answer.close()
    assert not is_held()
