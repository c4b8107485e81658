"""Users who wait to be approved."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id
from apps.core.owned import OwnedQuerySet
from apps.core.row_lease import Leasable
from apps.customers.models import Customer
from apps.users.models import User


class CheckState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")


class IdentityCheck(Leasable):
    """A user who waits to be approved, by an operator or by an outside identity check, and how that ended."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="identity_check")
    state = models.CharField(max_length=8, choices=CheckState, default=CheckState.WAITING)
    created_at = models.DateTimeField()
    operators_told_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)  # when the outside check accepted the request
    next_try_at = models.DateTimeField(null=True)  # until then a worker has it, or it waits after a failure
    answer_signed_at = models.DateTimeField(null=True)  # of the newest answer from outside: older ones do not count
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=200, blank=True)  # an actor, as in audit events
    reason = models.CharField(max_length=500, blank=True)

    held_until = "next_try_at"

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("created_at", "id")
        indexes = (
            # For the admin's list, and to find those that wait.
            models.Index(fields=("-state", "created_at", "-id"), name="check_list"),
            models.Index(
                fields=("operators_told_at",), name="check_told", condition=models.Q(operators_told_at__isnull=False)
            ),
        )

    def __str__(self) -> str:
        return f"identity check of {self.user_id}"
