"""Users whose account is used from many networks in a short time: it may be in several hands."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from apps.audit import actions, events
from apps.audit.models import Severity
from apps.core import advisory_locks
from apps.core.context import RequestContext

WITHIN = timedelta(hours=1)
MANY = 4  # home, office, and a phone on its way are three

# Of IPv4 the first 16 bits, of IPv6 the first 32: about what one provider has. A phone changes its address within these.
# Only users who have signed in, or whose session has gone on, in that time; and each is told of once in it.
FOUND = """
SELECT customer_id, user_id, count(DISTINCT network(set_masklen(ip, CASE family(ip) WHEN 4 THEN 16 ELSE 32 END))) AS networks
FROM audit_event AS event
WHERE action IN (%(sign_in)s, %(refreshed)s) AND at > %(since)s AND ip IS NOT NULL AND user_id IS NOT NULL
GROUP BY customer_id, user_id
HAVING count(DISTINCT network(set_masklen(ip, CASE family(ip) WHEN 4 THEN 16 ELSE 32 END))) >= %(many)s
   AND NOT EXISTS (
       SELECT 1 FROM audit_event AS said
       WHERE said.action = %(told)s AND said.at > %(since)s AND said.user_id = event.user_id
   )
"""


def record(*, now: datetime) -> int:
    """Record an event for each such user. Returns how many. Of two workers at once the second waits, and finds nothing left."""
    facts: dict[str, Any] = {
        "sign_in": actions.SIGN_IN,
        "refreshed": actions.TOKEN_REFRESHED,
        "told": actions.MANY_NETWORKS,
        "since": now - WITHIN,
        "many": MANY,
    }
    with transaction.atomic():
        advisory_locks.take_turns("many networks")
        with connection.cursor() as cursor:
            cursor.execute(FOUND, facts)
            found = cursor.fetchall()
        for customer_id, user_id, networks in found:
            events.record(
                action=actions.MANY_NETWORKS,
                severity=Severity.MEDIUM,
                customer_id=customer_id,
                user_id=user_id,
                context=RequestContext.system(now=now),
                details={"networks": networks, "minutes": int(WITHIN.total_seconds()) // 60},
            )
    return len(found)
