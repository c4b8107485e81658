"""Proving one's identity again, as a client does it, and sessions whose proof is old."""

from datetime import timedelta

from django.utils import timezone

from apps.tokens.minting import TokenPair
from apps.users.models import User
from demo.client import Answer, Client
from tests import factories

LONG_AGO = timedelta(minutes=11)


def old_session(of: User, **facts: object) -> TokenPair:
    """A session that began eleven minutes ago, without a new proof since."""
    return factories.session(of, now=timezone.now() - LONG_AGO, **facts)  # type: ignore[arg-type]


def prove(client: Client, token: str, method: str, **proof: object) -> Answer:
    return client.post("/api/auth/reauthenticate", {"method": method, **proof}, token=token)


def send(client: Client, token: str, method: str) -> Answer:
    return client.post("/api/auth/reauthenticate/send", {"method": method}, token=token)
