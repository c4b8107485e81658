"""Why a body is refused. All failures to decrypt give one answer, which teaches an attacker nothing."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import GatehouseError


class EncryptionRequired(GatehouseError):
    type = "encryption_required"
    message = _('Encrypt the body: {"encrypted": true, "data": "<compact JWE>"}.')


class InvalidEnvelope(GatehouseError):
    type = "decryption_failed"
    message = _("The body could not be decrypted.")


class StaleRequest(GatehouseError):
    type = "stale_request"
    message = _("This request is too old, or from the future. Check the device's clock.")


class ReplayedRequest(GatehouseError):
    status = 409
    type = "replayed_request"
    message = _("This request was received before.")
