"""An app signs its user out here, too (OpenID Connect RP-Initiated Logout 1.0).

What hangs together ends together: the hosted session, and every session of an app that it has given. Somebody who signs out
on a borrowed computer must not stay signed in to the other apps.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.core import actors
from apps.core.context import RequestContext
from apps.core.ids import parse_id
from apps.customers import state as customers
from apps.customers.state import CustomerState
from apps.oauth import grants, redirect_addresses
from apps.oauth.authorization_parameters import Parameters, WrongParameter, one, state_of
from apps.oauth.errors import UnusableRequest
from apps.oauth.models import AuthorizationCode, RegisteredClient
from apps.tokens import id_tokens, sessions
from apps.tokens.models import EndReason


@dataclass(frozen=True)
class LogoutRequest:
    """What an app asks for. `address`: where the user goes afterwards; None: a page of ours.

    `session_id` and `user_id`: whom the app means, if it has shown that by an id token of ours. Without one the user is asked first:
    anybody can send a browser here.
    """

    customer: CustomerState
    client: RegisteredClient
    address: str | None
    session_id: UUID | None
    user_id: UUID | None

    @property
    def is_proven(self) -> bool:
        return self.session_id is not None


def parse(parameters: Parameters, *, now: datetime) -> LogoutRequest:
    """The request in these parameters, of the query or of a form. Raises UnusableRequest or CustomerSuspended."""
    try:
        given = {name: one(parameters, name) or "" for name in parameters}
    except WrongParameter as wrong:
        raise UnusableRequest(wrong.detail) from wrong
    client = _client(given)
    customer = customers.read(client.customer_id)
    customers.require_active(customer)
    hint = id_tokens.read(given.get("id_token_hint", ""), customer=customer, now=now)
    meant = hint if hint and hint.audience == client.client_id else None
    return LogoutRequest(
        customer,
        client,
        _address(given, client, state_of(parameters)),
        meant.session_id if meant else None,
        meant.user_id if meant else None,
    )


def sign_out(request: LogoutRequest, *, context: RequestContext) -> None:
    """End the session that the app has shown, and what hangs together with it. Ended already: nothing more to do."""
    if request.session_id is None or request.user_id is None:
        return
    end_together(
        customer_id=request.customer.id, user_id=request.user_id, session_id=request.session_id, context=context
    )


def end_together(*, customer_id: UUID, user_id: UUID, session_id: UUID, context: RequestContext) -> None:
    """End this session of the user, hosted or an app's, the hosted session behind it, and all that were given by that."""
    with transaction.atomic():
        grant = grants.of_session(customer_id, session_id)
        hosted = (grant.hosted_session_id if grant else None) or session_id
        granted = AuthorizationCode.objects.of(customer_id).filter(user_id=user_id, hosted_session_id=hosted)
        given = set(granted.filter(session__isnull=False).values_list("session_id", flat=True))
        sessions.end_these(
            customer_id=customer_id,
            user_id=user_id,
            session_ids={session_id, hosted, *given},
            reason=EndReason.LOGOUT,
            context=context.by(actors.user(user_id)),
        )


def _client(given: Mapping[str, str]) -> RegisteredClient:
    """By `client_id`, or by the id token that was given to it. Raises UnusableRequest."""
    said = {text for text in (given.get("client_id"), id_tokens.audience_of(given.get("id_token_hint", ""))) if text}
    wanted = parse_id(said.pop()) if len(said) == 1 else None
    client = RegisteredClient.objects.filter(id=wanted).first() if wanted else None
    if client is None or not client.is_active:
        raise UnusableRequest("client_id or id_token_hint must name an active client, and both the same")
    return client


def _address(given: Mapping[str, str], client: RegisteredClient, state: str | None) -> str | None:
    """Raises UnusableRequest for an address that the client is not registered with."""
    address = given.get("post_logout_redirect_uri")
    if not address:
        return None
    if not redirect_addresses.is_registered(address, client.post_logout_redirect_uris):
        raise UnusableRequest("post_logout_redirect_uri is not exactly one of those that the client is registered with")
    return redirect_addresses.with_parameters(address, {"state": state} if state is not None else {})
