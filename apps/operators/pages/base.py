"""The base of every admin page: what operators do is asked about first where it cannot be undone, and becomes an audit event."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db import DatabaseError, DataError, ProgrammingError
from django.db.models import Model
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from apps.audit import events
from apps.core.errors import GatehouseError
from apps.core.requests import caller_for_others


def actor_of(request: HttpRequest) -> str:
    """How events name the operator."""
    return events.operator(request.user.get_username())


def who(request: HttpRequest) -> dict[str, Any]:
    """The arguments that every flow takes about who acts, from where, and when."""
    return {"actor": actor_of(request), "caller": caller_for_others(request), "now": timezone.now()}


class Recorded(NamedTuple):
    """What events call an addition, a change and a deletion: names from `actions`."""

    added: str
    changed: str
    deleted: str


class StrictChangeList(ChangeList):  # type: ignore[misc]  # unfold has no types
    """A list that bears any query. Django finds some faults of a query only when the database, or its driver, fails on it."""

    def __init__(self, request: HttpRequest, *args: Any, **options: Any) -> None:
        try:
            super().__init__(request, *args, **options)
        except (SuspiciousOperation, PermissionDenied, DatabaseError) as error:
            if isinstance(error, ProgrammingError | DataError) and request.GET:
                raise _wrong_query(request) from error
            raise
        except Exception as error:
            if not request.GET:  # no fault of the query's
                raise
            raise _wrong_query(request) from error


def _wrong_query(request: HttpRequest) -> Exception:
    """Leads to the list without a query once, and to a page that says so when even that has one."""
    return BadRequest() if ERROR_FLAG in request.GET else IncorrectLookupParameters()


class AuditedAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Records what is added, changed (the names of the fields, never their values) and deleted, as `recorded_as` names it.

    Pages whose saving goes through flows that record by themselves set `records_itself` instead. What a flow refuses is
    undone as a whole, for Django's views are one transaction each; and the site lets the operator read why. Pages whose rows events
    refer to in a column of their own name it in `history_by`, and get a link to them.

    Operators serve every customer, so pages list the rows of all: nothing here asks `objects.of(customer_id)`.
    """

    recorded_as: Recorded
    records_itself = False
    history_by = ""
    compressed_fields = True
    warn_unsaved_form = True

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[StrictChangeList]:
        return StrictChangeList

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Of the columns that there are, only those that the pages show: by `?digest__startswith=` others could be read."""
        column = lookup.partition(LOOKUP_SEP)[0]
        hidden = {field.name for field in self.opts.get_fields()} - self._shown_columns(request)
        return column not in hidden and bool(super().lookup_allowed(lookup, value, request))

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Rows are chosen by their key. Django's own fails for the other side of a one-to-one relation."""
        return to_field == self.opts.pk.name and bool(super().to_field_allowed(request, to_field))

    def _shown_columns(self, request: HttpRequest | None) -> set[str]:
        filters = [
            item if isinstance(item, str) else item[0] for item in self.list_filter if not isinstance(item, type)
        ]
        shown = [
            *self.list_display,
            *flatten_fieldsets(self.get_fieldsets(request)),
            self.date_hierarchy or "",
            *filters,
        ]
        return {"id", self.opts.pk.name, *(str(name).partition(LOOKUP_SEP)[0] for name in shown)}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        context["show_history"] = bool(self.history_by) and request.user.has_perm("audit.view_event")
        response: HttpResponse = super().render_change_form(request, context, *args, **options)
        return response

    def history_view(self, request: HttpRequest, object_id: str, *args: Any, **options: Any) -> HttpResponse:
        """The row's audit events: there is no other history."""
        query = {self.history_by: object_id} if self.history_by else None
        return HttpResponseRedirect(reverse("admin:audit_event_changelist", query=query))

    def save_model(self, request: HttpRequest, row: Model, form: Any, change: bool) -> None:  # noqa: FBT001
        super().save_model(request, row, form, change)
        if not self.records_itself:
            action = self.recorded_as.changed if change else self.recorded_as.added
            self.record(request, row, action, fields=sorted(form.changed_data))

    def delete_model(self, request: HttpRequest, row: Model) -> None:
        if not self.records_itself:
            self.record(request, row, self.recorded_as.deleted)
        super().delete_model(request, row)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def record(self, request: HttpRequest, row: Model, action: str, **details: Any) -> None:
        """Write the event for what the operator did to `row`."""
        customer_id = getattr(row, "customer_id", None)
        events.record(action=action, customer_id=customer_id, details={"row": str(row.pk), **details}, **who(request))

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:
        """Nothing: Django's own log would keep a user's address, which is the row's name, after the user is erased."""

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:
        """Nothing, as above."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """Nothing, as above."""

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
                say_why(request, error)
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


def say_why(request: HttpRequest, error: GatehouseError) -> None:
    """Let the next page say what was refused."""
    reasons = [text for texts in (error.fields or {}).values() for text in texts]
    messages.error(request, " ".join([str(error.text), *reasons]))
