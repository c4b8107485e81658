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


class InvalidPassword(GatehouseError):
    """The present password, asked for once more of a user who is signed in, is wrong or locked."""

    type = "invalid_password"
    message = _("The present password is wrong.")
