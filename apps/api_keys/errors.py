"""Why an API key is refused."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import AuthenticationError, GatehouseError


class InvalidApiKey(AuthenticationError):
    """Wrong, expired or revoked: one answer for all. The request is never treated as one without a key."""

    type = "invalid_api_key"
    message = _("This API key is not valid.")


class ApiKeyRequired(AuthenticationError):
    type = "api_key_required"
    message = _("Send an API key as X-OTP-API-Key.")
    oauth_error = ""


class ConflictingApiKeys(GatehouseError):
    """Two different keys in one request: it is not clear which customer is meant (contract 5)."""

    type = "conflicting_api_keys"
    message = _("Send one API key, not two different ones.")
