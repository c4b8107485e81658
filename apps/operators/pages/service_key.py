"""The service's key pairs in the operators' admin: their ids and ages, and rotation."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from unfold.decorators import action, display

from apps.operators.pages.base import ReadOnlyAdmin, who
from apps.payloads import service_keys
from apps.payloads.models import ServiceKeyPair


@admin.register(ServiceKeyPair)
class ServiceKeyPairAdmin(ReadOnlyAdmin):
    list_display = ("kid", "state", "created_at", "retires_at")
    fields = ("kid", "state", "created_at", "retires_at")
    readonly_fields = ("state",)
    actions_detail = ("rotate",)

    def has_rotate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payloads.change_servicekeypair")

    @display(description=_("State"), label={"current": "success", "decrypts": "info"})
    def state(self, row: ServiceKeyPair) -> str:
        if row.retires_at is None:
            return "current"
        return "decrypts" if row.retires_at > timezone.now() else "retired"

    @action(description=_("Rotate"), url_path="rotate", permissions=["rotate"])
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_none(request, object_id)
        if row is None:
            return self.to_list()

        def act(_form: forms.Form) -> str:
            service_keys.rotate(overlap=service_keys.DEFAULT_OVERLAP, **who(request))
            return _("A new key is published.")

        return self.ask_first(
            request,
            row,
            title=_("Rotate the service's key pair?"),
            explanation=[
                _(
                    "A new public key is published; clients that read it anew use it. The old one decrypts for %d more days."
                )
                % service_keys.DEFAULT_OVERLAP.days
            ],
            button=_("Rotate"),
            act=act,
        )
