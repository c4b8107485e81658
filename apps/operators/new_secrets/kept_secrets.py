"""New secrets between the request that makes them and the page that shows them, which is another request.

A page that answers a POST makes a second key when it is loaded again. So the POST leads on to an address, and the secret waits
for it: sealed, for this operator's session alone, and deleted by the statement that reads it.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone

from apps.core import batches, ciphers, sealed
from apps.operators.context import operator_of
from apps.operators.models import KeptSecret

LIFETIME = timedelta(minutes=5)
INFO = "gatehouse/operators/kept-secret/v1"
# One statement decides between any number of pages that are opened at once.
_TAKE = """
DELETE FROM operators_keptsecret
WHERE id = %s AND operator_id = %s AND session_digest = %s AND expires_at > statement_timestamp()
RETURNING content
"""


def keep(request: HttpRequest, content: Mapping[str, Any]) -> UUID:
    """Keep what one page shall show once. Returns the id by which this session takes it."""
    row = KeptSecret(operator=operator_of(request), session_digest=_digest(request))
    row.expires_at = timezone.now() + LIFETIME
    sealed.write(row, "content", json.dumps(content).encode())
    row.save(force_insert=True)
    return row.id


def take(request: HttpRequest, kept_id: UUID) -> dict[str, Any] | None:
    """What was kept, which is deleted. None: it was taken, has expired, never was, or is of another session."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [kept_id, operator_of(request).pk, _digest(request)])
        found = cursor.fetchone()
    if found is None:
        return None
    content: dict[str, Any] = json.loads(sealed.read(KeptSecret(id=kept_id, content=found[0]), "content"))
    return content


def remove_expired() -> int:
    """Delete what nobody has come for. Returns how many."""
    return batches.delete(KeptSecret.objects.filter(expires_at__lt=timezone.now()), by="expires_at")


def _digest(request: HttpRequest) -> bytes:
    """Raises PermissionDenied without a session."""
    if not request.session.session_key:
        raise PermissionDenied
    return ciphers.mac(f"{INFO}\0{request.session.session_key}".encode(), key=str(settings.SECRET_KEY).encode())
