"""A client exchanges its code for tokens, once (OAuth 2.1 section 4.1.3)."""

import re
from dataclasses import dataclass, field, replace

from django.db import transaction

from apps.audit import actions
from apps.audit.models import Outcome, Severity
from apps.core import base64url, ciphers, valkey
from apps.core.client_address import counted_as
from apps.core.context import RequestContext
from apps.core.errors import NotFound
from apps.oauth import client_authentication, client_tokens, grants
from apps.oauth.client_authentication import AuthenticatedClient
from apps.oauth.client_tokens import ClientTokens, Grant
from apps.oauth.errors import InvalidGrant
from apps.oauth.models import AuthorizationCode
from apps.tokens import sessions
from apps.tokens.errors import UserInactive
from apps.tokens.models import Delivery, EndReason, Session
from apps.users import directory, user_events
from apps.users import state as users
from apps.users.models import User, UserStatus

VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 section 4.1


@dataclass(frozen=True)
class CodeRedemption:
    """A client presents a code. `redirect_uri`: must be that of the request, if the client sends it again (OAuth 2.1 leaves it out)."""

    client: AuthenticatedClient
    code: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect_uri: str | None
    context: RequestContext


def redeem(attempt: CodeRedemption) -> ClientTokens:
    """Tokens of a new session for the client. Raises InvalidGrant, whatever is wrong with the code.

    A second use is refused and ends the session that the first has given. That takes the verifier, too: a code alone is in
    browsers' histories, and whoever finds it there must not be able to sign the user out.
    """
    code = _find(attempt)
    with transaction.atomic():
        client_authentication.hold_active(attempt.client)
        user = directory.lock(code.user_id)  # users are locked before what hangs on them
        given = _give(code, user, attempt) if user and _use(code, attempt) else None
        if given is None:
            _end_what_it_gave(code, attempt)
    if given is None:  # after the commit: the end of the session must not be rolled back with the request
        raise InvalidGrant
    return given


def _find(attempt: CodeRedemption) -> AuthorizationCode:
    """The client's own code, presented with what belongs to it. Raises InvalidGrant."""
    mine = AuthorizationCode.objects.of(attempt.client.customer.id).select_related("client")
    code = mine.filter(digest=ciphers.digest(attempt.code.encode("utf-8", "surrogatepass"))).first()
    if code is None:
        raise InvalidGrant
    if not _fits(code, attempt):
        _report(actions.AUTHORIZATION_REJECTED, code, attempt)
        raise InvalidGrant
    return code


def _fits(code: AuthorizationCode, attempt: CodeRedemption) -> bool:
    if code.client_id != attempt.client.row.id or attempt.redirect_uri not in (None, code.redirect_uri):
        return False
    if not VERIFIER.fullmatch(attempt.verifier):
        return False
    challenge = base64url.encode(ciphers.digest(attempt.verifier.encode("ascii")))
    return ciphers.equal(challenge.encode(), code.code_challenge.encode())


def _use(code: AuthorizationCode, attempt: CodeRedemption) -> bool:
    """Use the code up, in one statement: of many requests at once one succeeds."""
    now = attempt.context.now
    unused = AuthorizationCode.objects.filter(id=code.id, used_at=None, expires_at__gt=now)
    return unused.update(used_at=now) == 1


def _give(code: AuthorizationCode, user: User, attempt: CodeRedemption) -> ClientTokens:
    """Begin the client's session. In the caller's transaction. Raises InvalidGrant, which gives the code back."""
    customer, context = attempt.client.customer, attempt.context
    hosted = _hosted_session(code, user, attempt)
    proof = client_tokens.proof_of(hosted)
    try:
        pair = sessions.start(
            customer=customer,
            user=user,
            amr=proof.amr,
            proven_at=hosted.auth_time,
            delivery=Delivery.BODY,
            oauth_client_id=attempt.client.client_id,
            # The user's device, not the server of the app.
            context=replace(context, ip=hosted.ip, user_agent=hosted.user_agent, sandbox_key_id=hosted.sandbox_key_id),
        )
    except UserInactive as error:
        raise InvalidGrant from error
    AuthorizationCode.objects.filter(id=code.id).update(session_id=pair.session_id)
    user_events.record_own(
        actions.AUTHORIZATION_REDEEMED,
        user,
        context,
        client=attempt.client.client_id,
        session=str(pair.session_id),
    )
    scopes = grants.scopes_that_count(code, customer)
    grant = Grant(attempt.client.client_id, customer, users.of(user), scopes, proof, code.nonce, code.is_new)
    return client_tokens.give(grant, pair, context.now)


def _hosted_session(code: AuthorizationCode, user: User, attempt: CodeRedemption) -> Session:
    """The session at which the code was granted. Raises InvalidGrant if it has ended, or the user's credentials have changed."""
    living = Session.objects.of(attempt.client.customer.id).alive(attempt.context.now)
    hosted_id = code.hosted_session_id  # None once the row is deleted
    hosted = living.filter(id=hosted_id).select_for_update(of=("self",)).first() if hosted_id else None
    is_void = code.credentials_version != user.credentials_version or user.status != UserStatus.ACTIVE
    if hosted is None or is_void:
        raise InvalidGrant
    return hosted


def _end_what_it_gave(code: AuthorizationCode, attempt: CodeRedemption) -> None:
    """Somebody has used the code before: either that was a thief, or this is one. In the caller's transaction."""
    used = AuthorizationCode.objects.filter(id=code.id, used_at__isnull=False)
    given = used.values_list("session_id", flat=True).first()
    if given is None:  # expired, or its user is gone
        return
    _report(actions.AUTHORIZATION_REUSED, code, attempt)
    try:
        sessions.end_one(
            customer_id=attempt.client.customer.id,
            user_id=code.user_id,
            session_id=given,
            reason=EndReason.CODE_REUSE,
            context=attempt.context,
        )
    except NotFound:
        return  # it has ended already


def _report(action: str, code: AuthorizationCode, attempt: CodeRedemption) -> None:
    """At most one event a minute from each address."""
    customer, context = attempt.client.customer, attempt.context
    if not valkey.is_first_this_minute(customer.id, "reported", action, str(code.id), counted_as(context.ip)):
        return
    user = users.read(customer.id, code.user_id)
    if user is not None:
        is_reuse = action == actions.AUTHORIZATION_REUSED
        user_events.record(
            action,
            user,
            context,
            outcome=Outcome.DENIED,
            severity=Severity.HIGH if is_reuse else Severity.MEDIUM,
            client=attempt.client.client_id,
        )
