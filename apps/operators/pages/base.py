"""What every page of the admin has in common: whatever an operator does becomes an audit event."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html

from apps.audit import before_and_after, events
from apps.audit.before_and_after import Changes
from apps.customers.models import Customer
from apps.operators import questions, words
from apps.operators.changes import undo_offers
from apps.operators.changes.declared_actions import CONFIRMED, OffersActions
from apps.operators.changes.stale_forms import StaleForms
from apps.operators.context import context_of_operator
from apps.operators.lists.scaled_lists import ScaledLists
from apps.operators.questions import Question, Unconfirmed
from apps.operators.sign_in import step_up
from apps.operators.team import scope

LOOKED_UP = "_looked_up"  # at the request: rows by model, key and field


class Recorded(NamedTuple):
    """What events call an addition, a change and a deletion: names from `actions`."""

    added: str
    changed: str
    deleted: str


class AuditedAdmin(StaleForms, ScaledLists, OffersActions):
    """Records what is added, changed and deleted, and what changed fields held before and after.

    A page either names these events in `recorded_as`, or sets `flows_record` because it saves through flows that record by
    themselves. Django runs each of these views in one transaction: what a flow refuses is undone as a whole, and the
    site tells the operator why. `history_by` names the column in which events refer to the page's rows; the page then links to
    them.

    Pages list the rows of all customers that the operator may see (`team.scope`), and of no others: lists, counts, searches,
    choices, actions and exports all begin with `get_queryset`.
    """

    recorded_as: Recorded
    flows_record = False
    values_left_out: Collection[
        str
    ] = ()  # of these fields events say that they changed, and no value: they name people
    history_by = ""
    change_form_outer_after_template = "operators/danger_zone.html"
    compressed_fields = True
    warn_unsaved_form = True
    # Unfold's templates look for these at each field, and what is not there takes Django longest to not find.
    conditional_fields: Mapping[str, str] = MappingProxyType({})
    list_sections: Collection[Any] = ()
    change_form_show_cancel_button = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return scope.of(request).narrow(super().get_queryset(request))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Looked up once in a request that changes nothing: the page asks, and whatever says which actions it offers."""
        if request.method != "GET":
            return super().get_object(request, object_id, from_field)
        found, key = request.__dict__.setdefault(LOOKED_UP, {}), (self.model, object_id, from_field)
        if key not in found:
            found[key] = super().get_object(request, object_id, from_field)
        return found[key]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open(request) and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open(request) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open(request) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open(request) and super().has_delete_permission(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._is_open(request) and super().has_module_permission(request)

    def _is_open(self, request: HttpRequest) -> bool:
        """Closed to who is limited to some customers, if its rows lead to none."""
        return scope.of(request).opens(self.model)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """A choice among the rows that the operator may see. Who is limited chooses a customer: none means all."""
        limits = scope.of(request)
        if limits.is_everything:
            return super().formfield_for_foreignkey(db_field, request, **options)
        model = db_field.remote_field.model
        options["queryset"] = limits.narrow(options.get("queryset", model._default_manager.all()))
        choice = super().formfield_for_foreignkey(db_field, request, **options)
        choice.required = choice.required or model is Customer
        return choice

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        return self.asked_first(
            request, lambda: super(AuditedAdmin, self).changeform_view(request, object_id, form_url, extra_context)
        )

    def asked_first(self, request: HttpRequest, save: Callable[[], HttpResponse]) -> HttpResponse:
        """Save, unless that would be grave: then ask first. A proof is looked into before the transaction, which may fail."""
        proof = step_up.due(request, is_answered=True) if CONFIRMED in request.POST else None
        if proof is not None:
            proof.is_valid()
        try:
            return save()
        except Unconfirmed as found:
            proof = proof or step_up.due(request, is_answered=False)
            hidden = [*_posted_again(request), (CONFIRMED, found.question.mark)]
            return questions.ask(
                self, request, found.question, proof=proof, is_grave=True, back=request.path, hidden=hidden
            )

    def require_confirmed(self, request: HttpRequest, question: Question | None) -> None:
        """Raises Unconfirmed unless the operator has said yes to exactly this, and proven who is there."""
        if question and not (request.POST.get(CONFIRMED) == question.mark and step_up.is_fresh(request)):
            raise Unconfirmed(question)

    def save_model(self, request: HttpRequest, row: Model, form: Any, change: bool) -> None:  # noqa: FBT001
        super().save_model(request, row, form, change)
        if not self.flows_record:
            action = self.recorded_as.changed if change else self.recorded_as.added
            changes = _changes(form, hidden=self.values_left_out)
            self.record(request, row, action, name=str(row), fields=sorted(form.changed_data), changes=changes)

    def delete_model(self, request: HttpRequest, row: Model) -> None:
        if not self.flows_record:
            self.record(request, row, self.recorded_as.deleted, name=str(row))
        super().delete_model(request, row)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def record(self, request: HttpRequest, row: Model, action: str, **details: Any) -> None:
        """Write the event for what the operator did to `row`."""
        customer_id = getattr(row, "customer_id", None)
        events.record(
            action=action,
            customer_id=customer_id,
            details={"row": str(row.pk), **details},
            context=context_of_operator(request),
        )

    def message_user(
        self,
        request: HttpRequest,
        message: Any,
        level: int | str = messages.INFO,
        extra_tags: str = "",
        fail_silently: bool = False,  # noqa: FBT001, FBT002  (Django's signature)
    ) -> None:
        """Of what went well, with the way back."""
        text = undo_offers.said(request, message) if level == messages.SUCCESS else message
        super().message_user(request, text, level, extra_tags, fail_silently)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Nothing: Django's own log would keep a user's address, which is the row's name, after the user is erased."""

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Nothing, as above."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Nothing, as above."""

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        context["grave_actions"] = self.grave_actions(request, obj.pk) if (obj := context.get("original")) else []
        context["subtitle"] = words.name_of(obj) if obj else None
        context["show_history"] = bool(self.history_by) and request.user.has_perm("audit.view_event")
        return super().render_change_form(request, context, *args, **options)

    def history_view(self, request: HttpRequest, object_id: str, *args: Any, **options: Any) -> HttpResponse:
        """The row's audit events: there is no other history."""
        row = self.get_object(request, object_id) if self.history_by else None
        query = {self.history_by: object_id} if self.history_by else {}
        if row is not None and hasattr(row, "customer_id"):
            query["customer_id"] = str(row.customer_id)  # the first column of the index
        return HttpResponseRedirect(reverse("admin:audit_event_changelist", query=query))


def _posted_again(request: HttpRequest) -> list[tuple[str, str]]:
    """The form that the question stands in front of: what was typed goes along with the answer."""
    left_out = ("csrfmiddlewaretoken", *step_up.FIELDS, CONFIRMED)
    return [(name, value) for name, values in request.POST.lists() if name not in left_out for value in values]


class NeverAdded:
    """Nobody adds rows. This and the next two stand before the admin class that they restrict."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class NeverChanged:
    """Nobody changes rows by a form."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class NeverDeleted:
    """Nobody deletes rows by Django's button."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LookOnly(NeverAdded, NeverChanged, NeverDeleted):
    """Pages, and parts of pages, that nobody edits."""


class ReadOnlyAdmin(LookOnly, AuditedAdmin):
    """Pages to look at."""


def _changes(form: Any, *, hidden: Collection[str]) -> Changes:
    """What the form has changed. Of a password nothing is told but that it changed."""
    secret = {name for name in form.changed_data if "password" in name}
    before = {name: _readable(form.get_initial_for_field(form.fields[name], name)) for name in form.changed_data}
    after = {name: _readable(form.cleaned_data.get(name)) for name in form.changed_data}
    return before_and_after.differences(before, after, hidden={*secret, *hidden})


def _readable(value: Any) -> Any:
    """Rows that were chosen, by their names."""
    if isinstance(value, QuerySet | list | tuple):
        return sorted(map(str, value))
    return str(value) if isinstance(value, Model) else value


def link_to(page: str, key: object, text: str = "") -> str:
    """To the page of one row, by the name of its model's URLs ("users_user"). A dash where there is none."""
    if key is None:
        return "-"
    return format_html(
        '<a class="underline" href="{}">{}</a>', reverse(f"admin:{page}_change", args=[key]), text or key
    )


def adopt(row: Model, made: Model) -> None:
    """Let the form's row stand for the one that a flow has made: Django goes on with the form's."""
    row.pk = made.pk
    row._state.adding = False
