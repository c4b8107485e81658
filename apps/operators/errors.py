"""What operators are told when something about operators is refused."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import GatehouseError


class LastAdministrator(GatehouseError):
    """Nobody could undo it: there would be no administrator left to do so."""

    status = 409
    type = "last_administrator"
    message = _("This is the last administrator. Make another one first.")
