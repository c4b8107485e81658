"""Why a mail is not posted."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import GatehouseError


class QuotaExceeded(GatehouseError):
    """The customer has sent as many codes as it may. `limit` says whether in this day or this month."""

    status = 429
    type = "quota_exceeded"
    message = _("No more codes can be sent right now. Please try again later.")


class NothingToResend(GatehouseError):
    """The content is gone: it is removed once a mail is sent or has expired."""

    type = "nothing_to_resend"
    message = _("This mail's content is no longer kept. Ask the user to request a new code.")


class SmsUnavailable(GatehouseError):
    """No SMS_BACKEND is set: this installation sends no SMS."""

    status = 503
    type = "sms_unavailable"
    message = _("No SMS can be sent here. Please choose another way.")
