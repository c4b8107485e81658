"""The base of every admin page: whatever an operator adds, changes or deletes becomes an audit event."""

from typing import Any
from uuid import UUID

from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin

from apps.audit import events
from apps.core.requests import caller_of


def actor_of(request: HttpRequest) -> str:
    """How events name the operator."""
    return f"operator:{request.user.get_username()}"


class AuditedAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Records `<model>_added`, `_changed` (the names of the fields, never their values) and `_deleted`.

    Pages whose saving goes through a flow that records by itself set `records_itself`.
    """

    records_itself = False
    list_filter_submit = True
    compressed_fields = True

    def save_model(self, request: HttpRequest, row: Model, form: ModelForm[Any], change: bool) -> None:  # noqa: FBT001
        super().save_model(request, row, form, change)
        if not self.records_itself:
            self.record(request, row, "changed" if change else "added", fields=sorted(form.changed_data))

    def delete_model(self, request: HttpRequest, row: Model) -> None:
        self.record(request, row, "deleted")
        super().delete_model(request, row)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def record(self, request: HttpRequest, row: Model, what: str, **details: Any) -> None:
        """Write the event for what the operator did to `row`."""
        events.record(
            action=f"{row._meta.model_name}_{what}",
            now=timezone.now(),
            actor=actor_of(request),
            customer_id=_customer_of(row),
            caller=caller_of(request),
            details={"row": str(row.pk), **details},
        )


def _customer_of(row: Model) -> UUID | None:
    customer_id: UUID | None = getattr(row, "customer_id", None)
    return customer_id
