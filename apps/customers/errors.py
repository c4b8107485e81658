"""Why a customer's request is refused."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import GatehouseError


class CustomerSuspended(GatehouseError):
    status = 403
    type = "customer_suspended"
    message = _("This service is suspended at the moment.")


class IpNotAllowed(GatehouseError):
    status = 403
    type = "ip_not_allowed"
    message = _("Requests from this network are not allowed.")


class CustomerBeingDeleted(GatehouseError):
    """Said to operators alone: it cannot be reactivated any more."""

    status = 409
    type = "customer_being_deleted"
    message = _("This customer is being deleted.")
