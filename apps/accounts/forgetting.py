"""With a user go the codes of its address: what was sent before an erasure, or a deactivation, is worth nothing after it."""

from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from django.db import transaction

from apps.accounts import deactivation, erasure
from apps.core.valkey import ValkeyUnavailable
from apps.otp import codes, fixed_codes
from apps.otp.codes import Place
from apps.otp.purposes import MAILS
from apps.users.models import User

log = structlog.get_logger(__name__)


def register() -> None:
    """Called when Django starts."""
    erasure.register("codes", _forget)
    deactivation.register(_close)


def _close(user: User, _now: datetime) -> None:
    transaction.on_commit(partial(_withdraw, user.customer_id, user.email_identity))


def _forget(customer_id: UUID, identity: str) -> None:
    fixed_codes.forget(customer_id, identity)
    transaction.on_commit(partial(_withdraw, customer_id, identity))


def _withdraw(customer_id: UUID, identity: str) -> None:
    """Codes of other purposes are of the user's id, which is nobody's any more."""
    places = [
        Place(customer_id, identity, purpose, in_sandbox=in_sandbox)
        for purpose in MAILS
        for in_sandbox in (False, True)
    ]
    try:
        codes.withdraw_all(places)
    except (
        ValkeyUnavailable
    ):  # those of the erased open nothing all the same: the mails that carried them are to nobody now
        log.warning("codes_not_withdrawn", customer_id=str(customer_id))
