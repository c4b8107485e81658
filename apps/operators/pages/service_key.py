"""The service's key pairs: their ids and ages, and rotation."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from unfold.decorators import display

from apps.core.context import RequestContext
from apps.operators.changes.declared_actions import RowAction
from apps.operators.lists.labels import Label
from apps.operators.pages.base import ReadOnlyAdmin
from apps.operators.questions import Question
from apps.payloads import service_keys
from apps.payloads.models import ServiceKeyPair


class ServiceKeyPairAdmin(ReadOnlyAdmin):
    list_display = ("kid", "state", "created_at", "retires_at")
    fields = ("kid", "state", "created_at", "retires_at")
    readonly_fields = ("state",)
    actions_detail = ("rotate",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The first pair is there from the first look on, although nobody has asked for its public key yet."""
        service_keys.pairs()
        page: HttpResponse = super().changelist_view(request, extra_context)
        return page

    @display(description=lazy("State"), label={"current": "success", "decrypts": "info", "retired": "default"})
    def state(self, row: ServiceKeyPair) -> Label:
        if row.retires_at is None:
            return Label("current", _("current"))
        return Label("decrypts", _("decrypts")) if row.retires_at > timezone.now() else Label("retired", _("retired"))

    @RowAction(
        label=lazy("Rotate"),
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
