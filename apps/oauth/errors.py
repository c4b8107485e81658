"""Why an app's request is refused, in the words of OAuth: at the hosted pages by a redirect, at the token endpoint by an answer."""

from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.errors import GatehouseError
from apps.oauth import redirect_addresses


class UnusableRequest(GatehouseError):
    """Client or redirect address cannot be trusted: nobody may be redirected there, so a page says it (RFC 6749 section 4.1.2.1).

    `detail` is for the app's developer.
    """

    type = "invalid_request"
    message = _(
        "The app that sent you here made a request that we cannot answer. Please go back to the app and try again."
    )

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__()


class AuthorizationRefused(Exception):
    """The app's request is refused, and the app is told by a redirect to `address` (RFC 6749 section 4.1.2.1)."""

    def __init__(
        self, error: str, *, redirect_uri: str, issuer: str, state: str | None = None, detail: str = ""
    ) -> None:
        self.error = error
        said = {"error": error, "error_description": detail, "state": state or "", "iss": issuer}
        given = {name: text for name, text in said.items() if text}
        self.address = redirect_addresses.with_parameters(redirect_uri, given)
        super().__init__(error)


class OAuthError(GatehouseError):
    """An answer of the token endpoint (RFC 6749 section 5.2). `error`: the name that clients know."""

    error: ClassVar[str] = "invalid_request"
    type = "invalid_request"
    message: ClassVar[str | Promise] = _("The request lacks a parameter, or has one twice or with a wrong value.")


class InvalidClient(OAuthError):
    """Unknown, disabled, or not authenticated: one answer for all."""

    status = 401
    error = type = "invalid_client"
    message = _("The client could not be authenticated.")


class InvalidGrant(OAuthError):
    """The code or refresh token is wrong, expired, used, or another client's: one answer for all."""

    error = type = "invalid_grant"
    message = _("The code or refresh token is not valid for this client.")


class InvalidScope(OAuthError):
    error = type = "invalid_scope"
    message = _("The client may not ask for this scope.")


class UnsupportedGrantType(OAuthError):
    error = type = "unsupported_grant_type"
    message = _("Use authorization_code or refresh_token.")


class InsufficientScope(GatehouseError):
    """The token was not given to a client that asked who the user is (RFC 6750 section 3.1)."""

    status = 403
    type = "insufficient_scope"
    message = _("This token gives no access to information about the user.")
