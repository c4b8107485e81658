"""Why a change to users, roles or permissions is refused."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import GatehouseError


class RoleInUse(GatehouseError):
    status = 409
    type = "role_in_use"
    message = _("There are users with this role. Give them another one first.")


class PermissionInUse(GatehouseError):
    status = 409
    type = "permission_in_use"
    message = _("There are roles or users that hold this permission. Take it from them first.")


class LastAdmin(GatehouseError):
    """The customer has other users, and nobody would be left to administer them."""

    status = 409
    type = "last_admin"
    message = _("You are the only administrator. Make somebody else one first.")
