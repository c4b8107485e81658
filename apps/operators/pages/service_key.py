"""The service's key pairs: their ids and ages, and rotation."""

from django.utils import timezone
from django.utils.translation import gettext as _
from unfold.decorators import display

from apps.core.context import RequestContext
from apps.operators.declared_actions import RowAction
from apps.operators.pages.base import ReadOnlyAdmin
from apps.operators.questions import Question
from apps.payloads import service_keys
from apps.payloads.models import ServiceKeyPair


class ServiceKeyPairAdmin(ReadOnlyAdmin):
    list_display = ("kid", "state", "created_at", "retires_at")
    fields = ("kid", "state", "created_at", "retires_at")
    readonly_fields = ("state",)
    actions_detail = ("rotate",)

    @display(description=_("State"), label={"current": "success", "decrypts": "info"})
    def state(self, row: ServiceKeyPair) -> str:
        if row.retires_at is None:
            return "current"
        return "decrypts" if row.retires_at > timezone.now() else "retired"

    @RowAction(
        label=_("Rotate"),
        url_path="rotate",
        permissions=["change"],
        question=lambda _pair: Question(
            _("Rotate the service's key pair?"),
            [
                _(
                    "A new public key is published; clients that read it anew use it. The old one decrypts for %d more days."
                )
                % service_keys.DEFAULT_OVERLAP.days
            ],
            button=_("Rotate"),
        ),
    )
    def rotate(self, _pair: ServiceKeyPair, context: RequestContext) -> str:
        service_keys.rotate(overlap=service_keys.DEFAULT_OVERLAP, context=context)
        return _("A new key is published.")
