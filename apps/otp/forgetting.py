"""With a user go the codes of its address: what was sent before an erasure is worth nothing after it."""

from uuid import UUID

import structlog

from apps.core.valkey import ValkeyUnavailable
from apps.otp import codes
from apps.otp.codes import Place
from apps.otp.purposes import MAILS
from apps.users import erasure

log = structlog.get_logger(__name__)


def register() -> None:
    """Called when Django starts."""
    erasure.register("codes", _forget)


def _forget(customer_id: UUID, identity: str) -> None:
    """Codes of other purposes are of the user's id, which is nobody's any more."""
    places = [
        Place(customer_id, identity, purpose, in_sandbox=in_sandbox)
        for purpose in MAILS
        for in_sandbox in (False, True)
    ]
    try:
        codes.withdraw_all(places)
    except ValkeyUnavailable:  # they open nothing all the same: the mails that carried them are to nobody now
        log.warning("codes_not_withdrawn", customer_id=str(customer_id))
