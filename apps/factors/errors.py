"""Why a factor is refused."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import GatehouseError
from apps.otp.errors import InvalidOtp


class InvalidPasskey(GatehouseError):
    """Unknown, another user's, of another site, replayed, not verified, copied: one answer for all."""

    type = "invalid_passkey"
    message = _("This passkey was not accepted. Please try again.")


class InvalidFactorCode(InvalidOtp):
    """A code that nobody can ask for anew: of an authenticator app, or a recovery code."""

    message = _("This code is not valid, or no longer.")


class SecondFactorRequired(GatehouseError):
    """The last factor that the customer demands cannot be removed."""

    status = 409
    type = "second_factor_required"
    message = _("A second factor is required here. Enrol another one before you remove this.")


class NoSecondFactor(GatehouseError):
    """Recovery codes replace a factor, and there is none."""

    status = 409
    type = "no_second_factor"
    message = _("Enrol a second factor first: recovery codes stand in for one.")


class TooManyPasskeys(GatehouseError):
    status = 409
    type = "too_many_passkeys"
    message = _("There are too many passkeys in this account. Remove one first.")
