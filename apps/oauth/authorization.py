"""An app sends a user here to sign in, and gets a code back (OAuth 2.1 section 4.1; OpenID Connect Core section 3.1.2).

The hosted pages go through it in this order: `parse` the query, on every request anew; ask whether the user `needs_sign_in`;
once there is a hosted session that is good enough, `grant`, and redirect.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.audit import actions
from apps.core import ciphers
from apps.core.context import RequestContext
from apps.core.ids import parse_id
from apps.customers.state import CustomerState
from apps.oauth import authorization_parameters, hints, redirect_addresses
from apps.oauth.authorization_parameters import CREATE, LOGIN, NONE, SELECT_ACCOUNT, Given, Parameters, WrongParameter
from apps.oauth.errors import AuthorizationRefused, UnusableRequest
from apps.oauth.models import AuthorizationCode, RegisteredClient
from apps.tokens import signing
from apps.tokens.models import Session
from apps.tokens.proof import Proof
from apps.users import directory, user_events
from apps.users.models import UserStatus

CODE_BYTES = 32
CODE_LIFETIME = timedelta(seconds=60)


@dataclass(frozen=True)
class AuthorizationRequest:
    """A request that can be answered: the client exists, the redirect address is its own, and every parameter makes sense."""

    customer: CustomerState
    client: RegisteredClient
    redirect_uri: str
    state: str | None
    given: Given
    hinted_user: UUID | None  # whom the app believes to be signed in (`id_token_hint`)

    @property
    def may_show_pages(self) -> bool:
        """False for `prompt=none`: if the user would have to do anything, the app wants an error instead."""
        return NONE not in self.given.prompts

    @property
    def wants_registration(self) -> bool:
        """Whether the user should be led to make an account (OpenID Connect's `prompt=create`)."""
        return CREATE in self.given.prompts

    @property
    def form_target(self) -> str:
        """What the page's policy must allow as a target of forms: Chromium applies it to the redirect after a form, too."""
        return redirect_addresses.form_target(self.redirect_uri)

    def refused(self, error: str, detail: str = "") -> AuthorizationRefused:
        """The error to raise, or whose `address` to redirect to: `login_required`, `access_denied`, …"""
        issuer = signing.issuer_of(self.customer.slug)
        return AuthorizationRefused(
            error, redirect_uri=self.redirect_uri, issuer=issuer, state=self.state, detail=detail
        )


def parse(parameters: Parameters, customer: CustomerState, *, now: datetime) -> AuthorizationRequest:
    """The request in these parameters of the query (each name with all its values: `dict(request.GET.lists())`).

    Raises UnusableRequest: show a page, and redirect nowhere. Raises AuthorizationRefused: redirect to its `address`.
    """
    client = _client(parameters, customer)
    redirect_uri = _redirect_uri(parameters, client)
    state = authorization_parameters.state_of(parameters)
    try:
        given = authorization_parameters.read(parameters, client=client, customer=customer)
    except WrongParameter as wrong:
        issuer = signing.issuer_of(customer.slug)
        raise AuthorizationRefused(
            wrong.error, redirect_uri=redirect_uri, issuer=issuer, state=state, detail=wrong.detail
        ) from wrong
    hinted_user = hints.user_in(given.id_token_hint, client=client, customer=customer, now=now)
    return AuthorizationRequest(customer, client, redirect_uri, state, given, hinted_user)


def needs_sign_in(request: AuthorizationRequest, proof: Proof | None, *, user_id: UUID | None, now: datetime) -> bool:
    """Whether the user must sign in although the browser has this session. `proof` and `user_id`: of the session, None without one.

    A sign-in for this very request is good enough, whatever the request says: do not ask after it.
    If it is needed and the request forbids pages (`may_show_pages`), raise `request.refused("login_required")`.
    """
    if proof is None or {LOGIN, SELECT_ACCOUNT, CREATE} & request.given.prompts:
        return True
    if request.hinted_user is not None and request.hinted_user != user_id:
        return True
    max_age = request.given.max_age
    return max_age is not None and not proof.is_fresh(max_age=max_age, now=now)


def grant(request: AuthorizationRequest, *, session_id: UUID, context: RequestContext, is_new: bool = False) -> str:
    """Give the client a code for the user of this hosted session. Returns the address to redirect to, with code, state and iss.

    `is_new`: the user was made at this sign-in; the app is told.

    Raises AuthorizationRefused if the session has ended a moment ago, or the user is not active (pending, deactivated);
    UnusableRequest if the client is gone.
    """
    code = secrets.token_urlsafe(CODE_BYTES)
    try:
        _issue(request, code, session_id, context, is_new=is_new)
    except IntegrityError as error:
        raise UnusableRequest("the client was deleted a moment ago") from error
    return redirect_addresses.with_parameters(request.redirect_uri, _answer(request, code))


def _issue(
    request: AuthorizationRequest, code: str, session_id: UUID, context: RequestContext, *, is_new: bool
) -> None:
    with transaction.atomic():
        session = _living_session(request, session_id, context.now)
        user = directory.lock(session.user_id)
        if user is None or user.status != UserStatus.ACTIVE:
            raise request.refused("access_denied", "this account is not active")
        AuthorizationCode.objects.create(
            client=request.client,
            user=user,
            digest=ciphers.digest(code.encode()),
            hosted_session=session,
            redirect_uri=request.redirect_uri,
            code_challenge=request.given.code_challenge,
            scope=" ".join(request.given.scopes),
            nonce=request.given.nonce,
            is_new=is_new,
            credentials_version=user.credentials_version,
            created_at=context.now,
            expires_at=context.now + CODE_LIFETIME,
        )
        user_events.record_own(
            actions.AUTHORIZATION_GRANTED,
            user,
            context,
            client=request.client.client_id,
            scope=" ".join(request.given.scopes),
            session=str(session_id),
        )


def _client(parameters: Parameters, customer: CustomerState) -> RegisteredClient:
    """Raises UnusableRequest."""
    client_id = parse_id(_one(parameters, "client_id"))
    client = RegisteredClient.objects.of(customer.id).filter(id=client_id).first() if client_id else None
    if client is None or not client.is_active:
        raise UnusableRequest("client_id names no active client of this customer")
    return client


def _redirect_uri(parameters: Parameters, client: RegisteredClient) -> str:
    """Raises UnusableRequest."""
    address = _one(parameters, "redirect_uri")
    if address is None or not redirect_addresses.is_registered(address, client.redirect_uris):
        raise UnusableRequest("redirect_uri is not exactly one of those that the client is registered with")
    return address


def _one(parameters: Parameters, name: str) -> str | None:
    try:
        return authorization_parameters.one(parameters, name)
    except WrongParameter as wrong:
        raise UnusableRequest(wrong.detail) from wrong


def _living_session(request: AuthorizationRequest, session_id: UUID, now: datetime) -> Session:
    living = Session.objects.of(request.customer.id).alive(now).filter(id=session_id)
    session = living.first()
    if session is None:
        raise request.refused("login_required", "the session has ended")
    return session


def _answer(request: AuthorizationRequest, code: str) -> Mapping[str, str]:
    """`iss` keeps apart the answers of several servers (RFC 9207)."""
    issuer = signing.issuer_of(request.customer.slug)
    return {"code": code, **({"state": request.state} if request.state is not None else {}), "iss": issuer}
