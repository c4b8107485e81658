"""Why a token is refused."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import AuthenticationError, GatehouseError


class MalformedToken(GatehouseError):
    """Not a token at all, or not in its one canonical form."""

    type = "malformed_token"
    message = _("This is not a token.")


class InvalidToken(AuthenticationError):
    """Signature, algorithm, type, issuer, audience, customer or key: one answer for all."""

    type = "invalid_token"
    message = _("This token is not valid.")


class TokenExpired(AuthenticationError):
    type = "token_expired"
    message = _("Your session has expired. Please sign in again.")


class TokenRevoked(AuthenticationError):
    type = "token_revoked"
    message = _("Your session has ended. Please sign in again.")


class SessionEnded(AuthenticationError):
    type = "session_ended"
    message = _("Your session has ended. Please sign in again.")


class UserInactive(AuthenticationError):
    type = "user_inactive"
    message = _("This account is not active.")


class InsufficientUserAuthentication(AuthenticationError):
    """The token is good, but its proof is too old for this (RFC 9470). `max_age` says how old it may be."""

    type = "insufficient_user_authentication"
    message = _("Please prove once more who you are.")
    oauth_error = "insufficient_user_authentication"


class RefreshTokenReused(AuthenticationError):
    type = "refresh_token_reused"
    message = _("Your session has ended. Please sign in again.")


class CrossSiteRequest(GatehouseError):
    """A request that bears the session's cookie but not what proves that our own page sent it."""

    status = 403
    type = "csrf_failed"
    message = _("This request did not come from the app that you are signed in to.")
