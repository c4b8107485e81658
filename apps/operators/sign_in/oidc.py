"""Operators sign in at an OpenID Connect provider: code flow with PKCE (S256), state and nonce, by authlib.

A provider says who somebody is, and no more: only operators who exist, or were invited, come in, and what they may do is decided
here. At the first sign-in the provider's subject is bound to the operator of its verified address; from then on the subject alone
counts, since addresses are handed on.
"""

import logging
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from apps.audit import actions, events
from apps.audit.models import Severity
from apps.core import actors
from apps.core.context import RequestContext
from apps.operators.errors import NotSignedInByProvider
from apps.operators.models import OperatorIdentity
from apps.operators.team import usernames

NAME = "operators"
SCOPE = "openid email"
PATIENCE_SECONDS = 5
LEEWAY_SECONDS = 30
ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)  # by a public key
LONGEST_SUBJECT = 255  # characters (OpenID Connect Core 1.0 section 2)

logging.getLogger("authlib").setLevel(logging.INFO)  # what it says of each step holds the PKCE verifier


@dataclass(frozen=True)
class ProviderUser:
    """Who the provider says it is: verified claims of an ID token."""

    subject: str
    email: str  # empty unless the provider has verified it
    has_second_factor: bool


def is_configured() -> bool:
    """Whether operators may sign in at a provider."""
    return bool(settings.OPERATOR_OIDC_ISSUER and settings.OPERATOR_OIDC_CLIENT_ID)


def lead_to_provider(request: HttpRequest) -> HttpResponse:
    """Raises NotSignedInByProvider when the provider does not answer."""
    try:
        response: HttpResponse = _client().authorize_redirect(
            request, settings.PUBLIC_URL + reverse("admin:oidc_callback")
        )
    except Exception as error:  # its parts raise errors of no common type
        raise NotSignedInByProvider from error
    return response


def came_back(request: HttpRequest) -> ProviderUser:
    """Exchange the code and check the ID token: signature, issuer, audience, nonce, times. Raises NotSignedInByProvider."""
    try:
        client = _client()
        _require_issuer(request, client.load_server_metadata())
        token = client.authorize_access_token(request, claims_options=_claims(), leeway=LEEWAY_SECONDS)
        return _user_in(_with_address(client, token))
    except Exception as error:  # its parts raise errors of no common type
        raise NotSignedInByProvider from error


def operator_of(who: ProviderUser, context: RequestContext) -> User:
    """The operator who is bound to this subject, or who is bound now. Raises NotSignedInByProvider."""
    known = OperatorIdentity.objects.filter(issuer=settings.OPERATOR_OIDC_ISSUER, subject=who.subject)
    identity = known.select_related("operator").first()
    operator = identity.operator if identity else _bound(who, context)
    if not (operator.is_active and operator.is_staff):
        raise NotSignedInByProvider
    return operator


def _bound(who: ProviderUser, context: RequestContext) -> User:
    """Raises NotSignedInByProvider: nobody has this address, or a subject is bound to its operator already."""
    operator = usernames.find_by_address(who.email) if who.email else None
    if operator is None:
        raise NotSignedInByProvider
    try:
        with transaction.atomic():
            OperatorIdentity.objects.create(
                operator=operator,
                issuer=settings.OPERATOR_OIDC_ISSUER,
                subject=who.subject,
                created_at=context.now,
            )
            events.record(
                action=actions.OPERATOR_IDENTITY_BOUND,
                severity=Severity.LOW,
                context=context.by(actors.operator(operator.get_username())),
                details={"issuer": settings.OPERATOR_OIDC_ISSUER},
            )
    except IntegrityError as error:
        raise NotSignedInByProvider from error
    return operator


def _with_address(client: Any, token: dict[str, Any]) -> dict[str, Any]:
    """The ID token's claims. Providers that leave the address out of it tell it at their UserInfo endpoint (Core 5.4).

    Raises ValueError for an answer about another subject (Core 5.3.2).
    """
    claims: dict[str, Any] = dict(token["userinfo"])
    if "email" in claims or "userinfo_endpoint" not in client.load_server_metadata():
        return claims
    told = client.userinfo(token=token)
    if told["sub"] != claims["sub"]:
        raise ValueError("sub")
    return claims | {name: told[name] for name in ("email", "email_verified") if name in told}


def _user_in(claims: Any) -> ProviderUser:
    """Raises ValueError for claims of another type than OpenID Connect's."""
    subject, email = claims["sub"], claims.get("email", "")
    methods = claims.get("amr") or []
    if not (isinstance(subject, str) and 0 < len(subject) <= LONGEST_SUBJECT and isinstance(methods, list)):
        raise ValueError("sub")
    is_verified = claims.get("email_verified") is True and isinstance(email, str)
    said = {str(method) for method in methods} | {str(claims.get("acr", ""))}
    return ProviderUser(
        subject=subject,
        email=email if is_verified else "",
        has_second_factor=not said.isdisjoint(settings.OPERATOR_OIDC_SECOND_FACTOR),
    )


def _require_issuer(request: HttpRequest, metadata: dict[str, Any]) -> None:
    """The answer comes from our provider and no other (RFC 9207). Raises ValueError."""
    said = request.GET.get("iss")
    is_needed = metadata.get("authorization_response_iss_parameter_supported") is True
    if (said is None and is_needed) or (said is not None and said != settings.OPERATOR_OIDC_ISSUER):
        raise ValueError("iss")


def _claims() -> dict[str, Any]:
    return {
        "iss": {"essential": True, "value": settings.OPERATOR_OIDC_ISSUER},
        "aud": {"essential": True, "value": settings.OPERATOR_OIDC_CLIENT_ID},
        "nonce": {"essential": True},
    }


def _client() -> Any:
    """The provider as its own metadata describe it. Raises what fetching them does, and ValueError for those of another issuer."""
    client = _registered(
        settings.OPERATOR_OIDC_ISSUER, settings.OPERATOR_OIDC_CLIENT_ID, settings.OPERATOR_OIDC_CLIENT_SECRET
    )
    metadata = client.load_server_metadata()
    if metadata.get("issuer") != settings.OPERATOR_OIDC_ISSUER:
        _registered.cache_clear()
        raise ValueError("issuer")
    offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    metadata["id_token_signing_alg_values_supported"] = [name for name in offered if name in ALGORITHMS]
    return client


@lru_cache(maxsize=1)
def _registered(issuer: str, client_id: str, secret: str) -> Any:
    from authlib.integrations.django_client import OAuth  # megabytes, and few installations need them

    return OAuth().register(
        NAME,
        client_id=client_id,
        client_secret=secret or None,
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": SCOPE,
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "client_secret_basic" if secret else "none",
            "default_timeout": PATIENCE_SECONDS,
            "leeway": 0,  # of an access token, which is used once and at once: some live for a minute
        },
    )
