"""Identity checks that somebody outside makes: the class to derive from, and the one that is used unless another is set.

IDENTITY_CHECK names the class. `outside_requests` says when it is asked, `outside_answers` what its answer does.
"""

import json
from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from apps.approvals.models import IdentityCheck
from apps.core import outgoing, sealed, signatures
from apps.core.outgoing import Unreachable
from apps.core.times import rfc3339
from apps.customers.models import Customer

PATH = "/api/identity-checks/"


class OutsideCheck(ABC):
    """Asks somebody outside who a user is. One is made for each question."""

    @abstractmethod
    def ask(self, check: IdentityCheck, *, customer: Customer, now: datetime) -> None:
        """Hand the check over. Raises Unreachable to be asked again later. The answer comes by `outside_answers.take`."""


class PostedCheck(OutsideCheck):
    """Posts a signed request to the customer's `identity_check_url`; the answer comes back as a webhook, signed alike."""

    def ask(self, check: IdentityCheck, *, customer: Customer, now: datetime) -> None:
        body = json.dumps(self._document(check)).encode()
        signature = signatures.sign(body, key=sealed.read(customer, "identity_check_secret"), now=now)
        reply = outgoing.post(
            customer.identity_check_url,
            body,
            {"Content-Type": "application/json", signatures.HEADER: signature},
            private_allowed=settings.IDENTITY_CHECK_PRIVATE_ADDRESSES,
        )
        if reply.status not in range(200, 300):
            raise Unreachable(f"{reply.status} {reply.text}")

    def _document(self, check: IdentityCheck) -> dict[str, Any]:
        user = check.user
        return {
            "check_id": str(check.id),
            "user": {"id": str(user.id), "email": user.email, "name": user.name, "locale": user.locale},
            "callback_url": f"{settings.PUBLIC_URL}{PATH}{check.id}",
            "created_at": rfc3339(check.created_at),
        }


def configured() -> OutsideCheck:
    """What IDENTITY_CHECK names. Raises ImportError."""
    made: OutsideCheck = import_string(settings.IDENTITY_CHECK)()
    return made
