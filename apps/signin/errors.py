"""Why somebody is not let in."""

from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from apps.core.errors import AuthenticationError, GatehouseError


class InvalidCredentials(AuthenticationError):
    """Unknown, wrong, locked or deactivated: one answer for all."""

    type = "invalid_credentials"
    message = _("Email address or password is wrong.")
    oauth_error: ClassVar[str] = ""


class MethodNotOffered(GatehouseError):
    """A second factor that this sign-in does not ask for, or that the user has not enrolled."""

    type = "method_not_offered"
    message = _("This second factor is not available. Choose another.")


class RegistrationClosed(GatehouseError):
    """The customer makes its users itself."""

    status = 403
    type = "registration_closed"
    message = _("You cannot register here by yourself.")


class InvalidResetToken(GatehouseError):
    """Wrong, used, expired, or another customer's: one answer for all."""

    type = "invalid_reset_token"
    message = _("This link is not valid, or no longer. Please ask for a new one.")


class InvalidPassword(GatehouseError):
    """The present password, asked for once more of a user who is signed in, is wrong or locked."""

    type = "invalid_password"
    message = _("The present password is wrong.")


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
    """Said only to whoever has proven to read the mailbox."""

    status = 409
    type = "email_taken"
    message = _("Another account here has this address.")


class AlreadyDecided(GatehouseError):
    """Somebody else was faster, or it is so already."""

    status = 409
    type = "already_decided"
    message = _("This has been decided already.")


class InvalidSignature(AuthenticationError):
    """Wrong, too old, or for nothing that there is: one answer for all."""

    type = "invalid_signature"
    message = _("This message is not signed as it should be.")
    oauth_error: ClassVar[str] = ""
