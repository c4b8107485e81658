"""Why a decision is not taken."""

from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from apps.core.errors import AuthenticationError, GatehouseError


class AlreadyDecided(GatehouseError):
    """Somebody else was faster, or it was decided so before."""

    status = 409
    type = "already_decided"
    message = _("This has been decided already.")


class InvalidSignature(AuthenticationError):
    """Wrong, too old, or for a check that does not exist: one answer for all."""

    type = "invalid_signature"
    message = _("This message is not signed as it should be.")
    oauth_error: ClassVar[str] = ""
