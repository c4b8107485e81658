"""The base of every admin page: what operators do is asked about first where it cannot be undone, and becomes an audit event."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from apps.audit import events
from apps.core.errors import GatehouseError
from apps.core.requests import caller_of


def actor_of(request: HttpRequest) -> str:
    """How events name the operator."""
    return f"operator:{request.user.get_username()}"


def who(request: HttpRequest) -> dict[str, Any]:
    """The arguments that every flow takes about who acts, from where, and when."""
    return {"actor": actor_of(request), "caller": caller_of(request), "now": timezone.now()}


class AuditedAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Records `<model>_added`, `_changed` (the names of the fields, never their values) and `_deleted`.

    Pages whose saving goes through a flow that records by itself set `records_itself`.
    """

    records_itself = False
    compressed_fields = True
    warn_unsaved_form = True

    def save_model(self, request: HttpRequest, row: Model, form: Any, change: bool) -> None:  # noqa: FBT001
        super().save_model(request, row, form, change)
        if not self.records_itself:
            self.record(request, row, "changed" if change else "added", fields=sorted(form.changed_data))

    def delete_model(self, request: HttpRequest, row: Model) -> None:
        if not self.records_itself:
            self.record(request, row, "deleted")
        super().delete_model(request, row)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def record(self, request: HttpRequest, row: Model, what: str, **details: Any) -> None:
        """Write the event for what the operator did to `row`."""
        events.record(
            action=f"{row._meta.model_name}_{what}",
            customer_id=_customer_of(row),
            details={"row": str(row.pk), **details},
            **who(request),
        )

    def ask_first(
        self,
        request: HttpRequest,
        row: Model,
        *,
        title: str,
        explanation: list[str],
        button: str,
        act: Callable[[forms.Form], HttpResponse | str],
        form_class: type[forms.Form] = forms.Form,
    ) -> HttpResponse:
        """A page that says what will happen; only its POST does it. `act` answers with a page, or a sentence to show."""
        form = form_class(request.POST or None)
        if request.method == "POST" and (form_class is forms.Form or form.is_valid()):
            try:
                outcome = act(form)
            except GatehouseError as error:
                messages.error(
                    request, " ".join([str(error.text), *(t for ts in (error.fields or {}).values() for t in ts)])
                )
                return HttpResponseRedirect(self.page_of(row))
            if isinstance(outcome, HttpResponse):
                return outcome
            messages.success(request, outcome)
            return HttpResponseRedirect(self.page_of(row))
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "explanation": explanation,
            "button": button,
            "form": form,
            "back": self.page_of(row),
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "operators/confirm.html", context)

    def show_once(self, request: HttpRequest, row: Model, *, title: str, shown: str) -> HttpResponse:
        """A page with a secret that is nowhere else: not stored, not in the session, not in the history."""
        context = {**self.admin_site.each_context(request), "title": title, "shown": shown, "back": self.page_of(row)}
        response = TemplateResponse(request, "operators/shown_once.html", {**context, "opts": self.model._meta})
        response["Cache-Control"] = "no-store"
        return response

    def page_of(self, row: Model) -> str:
        """The address of a row's page."""
        options = row._meta
        return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk])

    def row_or_none(self, request: HttpRequest, object_id: str) -> Any:
        """The row of a detail action, or None with a notice: the address may be anything."""
        row = self.get_object(request, object_id)
        if row is None:
            messages.error(request, _("There is nothing here."))
        return row

    def to_list(self) -> HttpResponse:
        options = self.model._meta
        return HttpResponseRedirect(reverse(f"admin:{options.app_label}_{options.model_name}_changelist"))


class LookOnly:
    """Pages, and parts of pages, that nobody edits. Stands before the admin class it restricts."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(LookOnly, AuditedAdmin):
    """Pages to look at."""


def _customer_of(row: Model) -> UUID | None:
    customer_id: UUID | None = getattr(row, "customer_id", None)
    return customer_id
