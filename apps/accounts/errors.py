"""Why an account is not made, changed or recovered."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import GatehouseError


class RegistrationClosed(GatehouseError):
    """The customer makes its users itself."""

    status = 403
    type = "registration_closed"
    message = _("You cannot register here by yourself.")


class InvalidResetToken(GatehouseError):
    """Wrong, used, expired, or another customer's: one answer for all."""

    type = "invalid_reset_token"
    message = _("This link is not valid, or no longer. Please ask for a new one.")


class SignUpClosed(GatehouseError):
    """New customers are made by operators alone (ALLOW_CUSTOMER_SIGNUP)."""

    status = 403
    type = "signup_closed"
    message = _("New customers cannot sign up by themselves here.")


class InvalidUndoToken(GatehouseError):
    """Wrong, used, expired, or another customer's: one answer for all."""

    type = "invalid_undo_token"
    message = _("This link is not valid, or no longer.")


class EmailTaken(GatehouseError):
    """Said only to somebody who has proven to read the mailbox, and to operators."""

    status = 409
    type = "email_taken"
    message = _("Another account here has this address.")


class NothingToSend(GatehouseError):
    """Said to operators alone: why this user would get no such mail."""

    status = 409
    type = "nothing_to_send"
    message = _("The account is closed to this: nothing was sent.")


class AlreadyProven(GatehouseError):
    """Said to operators alone."""

    status = 409
    type = "already_proven"
    message = _("The address is proven already.")


class NotDeletable(GatehouseError):
    """Said to operators alone: a customer is deleted only when it has been suspended for a day, and the default one never."""

    status = 409
    type = "not_deletable"
    message = _("A customer is deleted only when it has been suspended for a day.")
