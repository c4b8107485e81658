"""Why a code is not sent or not accepted."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import GatehouseError, RateLimited


class InvalidOtp(GatehouseError):
    """Wrong, expired, spent, used, or nobody's: one answer for all."""

    type = "invalid_otp"
    message = _("This code is not valid, or no longer. Please ask for a new one.")


class ResendTooSoon(RateLimited):
    """A code is on its way; another may be asked for in `retry_after` seconds."""

    type = "resend_too_soon"
    message = _("A code is on its way. Please wait a moment before you ask for another.")
