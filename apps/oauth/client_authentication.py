"""Which registered client calls, and whether it is that one (RFC 6749 section 2.3)."""

from dataclasses import dataclass, field

from django.db import connection

from apps.audit import actions, refusals, steps
from apps.audit.models import Severity
from apps.audit.refusals import NewRefusal
from apps.core.context import RequestContext
from apps.core.ids import parse_id
from apps.customers import state as customers
from apps.customers.state import CustomerState
from apps.oauth import client_secrets
from apps.oauth.errors import InvalidClient
from apps.oauth.models import RegisteredClient
from apps.tokens import verification

WRONG_SECRET, DISABLED_CLIENT = "wrong_client_secret", "disabled_client"  # as refusals name the rules
HOLD = "SELECT 1 FROM oauth_registeredclient WHERE id = %s AND disabled_at IS NULL FOR SHARE"


@dataclass(frozen=True)
class ClientCredentials:
    """What a client says it is, and its secret; None from a public one."""

    client_id: str
    secret: str | None = field(repr=False)


@dataclass(frozen=True)
class AuthenticatedClient:
    """A client that is active, and proven if it has a secret. Made by `authenticate` alone."""

    row: RegisteredClient
    customer: CustomerState

    @property
    def client_id(self) -> str:
        return self.row.client_id


def authenticate(credentials: ClientCredentials, context: RequestContext) -> AuthenticatedClient:
    """Raises InvalidClient, whatever is wrong; CustomerSuspended or IpNotAllowed."""
    client = _find(credentials.client_id)
    if client is None:
        raise InvalidClient
    customer = customers.read(client.customer_id)
    with refusals.recorded(steps.CALL, context, customer_id=customer.id):
        customers.require_active(customer)
        _require_proven(client, credentials, context)
        verification.require_address(customer, context)
    return AuthenticatedClient(client, customer)


def _require_proven(client: RegisteredClient, credentials: ClientCredentials, context: RequestContext) -> None:
    """Raises InvalidClient."""
    if client.is_active and _is_proven(client, credentials.secret, context):
        return
    rejected = InvalidClient()
    rejected.is_recorded = True
    _report(client, WRONG_SECRET if client.is_active else DISABLED_CLIENT, context)
    raise rejected


def hold_active(client: AuthenticatedClient) -> None:
    """Keep the client from being disabled until the transaction ends: a session must not begin a moment after it.

    Many hold it at the same time. Taken before any other lock. Raises InvalidClient.
    """
    with connection.cursor() as cursor:
        cursor.execute(HOLD, [client.row.id])
        if cursor.fetchone() is None:
            raise InvalidClient


def _find(client_id: str) -> RegisteredClient | None:
    """Of any customer: the client says by its id whose it is."""
    wanted = parse_id(client_id)
    return RegisteredClient.objects.filter(id=wanted).first() if wanted else None


def _is_proven(client: RegisteredClient, secret: str | None, context: RequestContext) -> bool:
    """A public client must not send a secret: it would be somebody else's, or in a place where it is none."""
    if not client.is_confidential:
        return secret is None
    return secret is not None and client_secrets.is_one_of(secret, client.secret_digests(context.now))


def _report(client: RegisteredClient, rule: str, context: RequestContext) -> None:
    refusals.record_if_possible(
        NewRefusal(
            rule=rule,
            step=steps.CALL,
            action=actions.OAUTH_CLIENT_REJECTED,
            severity=Severity.MEDIUM,
            customer_id=client.customer_id,
            context=context,
            details={"client": client.client_id},
        )
    )
