"""What a refresh writes to the tables: new versions of rows beside the old ones, and no entry in an index for what it changes."""

from dataclasses import replace

import pytest
from django.db import connection

from apps.audit.models import Event
from apps.tokens import refreshing, rotation, verification
from apps.tokens.errors import SessionEnded
from apps.tokens.models import RefreshToken, Session
from apps.tokens.rotation import Presented
from apps.tokens.signing import TokenKind
from tests import factories
from tests.conftest import MakeClient

pytestmark = pytest.mark.django_db(transaction=True)

CHANGED = {
    "tokens_session": {"last_activity_at", "expires_at"},
    "tokens_refreshtoken": {"used_at", "successor_id"},
}
INDEXED = """
SELECT DISTINCT attribute.attname FROM pg_index AS index
JOIN pg_attribute AS attribute ON attribute.attrelid = index.indrelid
    AND (attribute.attnum = ANY (index.indkey) OR pg_get_indexdef(index.indexrelid) ~ ('\\m' || attribute.attname || '\\M'))
WHERE index.indrelid = %s::regclass
"""


@pytest.mark.parametrize("table", CHANGED)
def test_what_a_refresh_changes_is_in_no_index(table: str) -> None:
    """Else PostgreSQL writes an entry into each index of the table, for every refresh (no heap-only tuple)."""
    with connection.cursor() as cursor:
        cursor.execute(INDEXED, [table])
        indexed = {name for (name,) in cursor.fetchall()}
    assert "id" in indexed
    assert not indexed & CHANGED[table]


def test_a_refused_refresh_writes_the_refusal_alone(client_for: MakeClient) -> None:
    """A session that has ended a moment ago, unknown to this process: neither token nor session changes."""
    pair = factories.session(factories.user(factories.customer()))
    client = client_for(None)
    client.get("/api/auth/me", token=pair.access)  # the session is remembered as living
    Session.objects.update(ended_at=factories.context().now)  # without an announcement
    before, events = list(Session.objects.values()), Event.objects.count()
    assert client.refresh(pair.refresh).error_type == "session_ended"
    assert list(Session.objects.values()) == before
    assert RefreshToken.objects.get().used_at is None
    assert Event.objects.count() == events + 1
    assert Event.objects.get(action="refused").details == {"rule": "session_ended", "step": "refresh"}


def test_a_token_of_one_customer_rotates_nothing_at_another() -> None:
    """The statement itself asks for the customer: a session of another is not found, whatever the token says."""
    context = factories.context()
    pair, other = (factories.session(factories.user(factories.customer())) for _ in range(2))
    mine = verification.verify(pair.refresh, kind=TokenKind.REFRESH, context=context)
    theirs = verification.verify(other.refresh, kind=TokenKind.REFRESH, context=context)
    assert rotation.rotate(Presented(mine.claims, theirs.customer, "", context)) is None
    crossed = replace(mine, customer=theirs.customer)
    with pytest.raises(SessionEnded):
        refreshing._successor_of_used(crossed, context)
    assert not RefreshToken.objects.exclude(used_at=None)
