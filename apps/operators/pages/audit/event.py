"""Audit events: to read as sentences, to find, and to take along as a file. Nobody changes them."""

import json
from typing import Any, ClassVar

from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from apps.audit import actions, events, sentences
from apps.audit.models import Event
from apps.operators.context import context_of_operator
from apps.operators.lists.labels import Label
from apps.operators.pages.audit import audit_verification, event_export, event_filters, why_refused
from apps.operators.pages.audit.event_names import LINK, LIST, EventNames
from apps.operators.pages.audit.undo_change import UndoesChanges

MAY_EXPORT = "audit.export_event"


class EventAdmin(UndoesChanges):
    class Media:
        css: ClassVar = {"all": ("operators/events.css",)}

    list_display = ("when", "told", "coloured_outcome", "coloured_severity", "where")
    list_display_links = ("when",)
    list_filter = event_filters.FILTERS
    list_before_template = "operators/events/filters.html"
    ordering = ("-at", "-id")
    fields = readonly_fields = (
        "sentence",
        "changed",
        "when",
        "coloured_outcome",
        "coloured_severity",
        "who",
        "customer",
        "user",
        "where",
        "user_agent",
        "request_link",
        "facts",
        "why_refused",
        "undo_link",
    )

    @display(description=_("Why refused?"))
    def why_refused(self, row: Event) -> str:
        return why_refused.link(row)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The filters are a form above the list, so unfold need not show them beside it."""
        changes: Any = super().get_changelist_instance(request)
        changes.has_filters = False
        self._name(request, changes.result_list)
        return changes

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Event | None:
        event: Event | None = super().get_object(request, object_id, from_field)
        self._name(request, [event] if event else [])
        return event

    def _name(self, request: HttpRequest, found: Any) -> None:
        """What the columns below need of other tables, for all rows together."""
        names = EventNames(request, self.admin_site, found)
        for event in found:
            event.names = names

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        facts = {
            "filter_form": event_filters.form_of(request),
            "other_filters": event_filters.others(request),
            "may_verify": audit_verification.may_verify(request),
            "may_export": request.user.has_perm(MAY_EXPORT),
            "export_address": f"{reverse('admin:audit_event_export')}?{request.GET.urlencode()}",
            "title": _("Audit events"),
        }
        return super().changelist_view(request, {**facts, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        export = path("export/", self.admin_site.admin_view(require_POST(self.export)), name="audit_event_export")
        verify = path("verification/", self.admin_site.admin_view(self.verification), name="audit_event_verification")
        return [export, verify, *super().get_urls()]

    def verification(self, request: HttpRequest) -> HttpResponseBase:
        return audit_verification.page(request, self.admin_site)

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """The list as it is filtered, as a file. That is an event itself. Raises PermissionDenied or BadRequest."""
        if not (self.has_view_permission(request) and request.user.has_perm(MAY_EXPORT)):
            raise PermissionDenied
        kind = request.POST.get("format", "")
        if kind not in event_export.LINES:
            raise BadRequest
        context = context_of_operator(request)
        found = self.get_changelist_instance(request).queryset.filter(at__lt=context.now)  # not what comes meanwhile
        details = {"format": kind, "filters": event_filters.told(request)}
        events.record(action=actions.AUDIT_EXPORTED, details=details, context=context)
        return event_export.answer(request, self.admin_site, found, kind)

    def _shown_columns(self, request: HttpRequest) -> set[str]:
        """All of them: the page of an event shows each, under other names."""
        return {field.name for field in self.opts.concrete_fields}

    @display(description=_("When"))
    def when(self, row: Event) -> str:
        return f"{row.at:%Y-%m-%d %H:%M:%S} UTC"

    @display(description=_("What happened"))
    def sentence(self, row: Any) -> SafeString:
        return sentences.as_html(row, row.names)

    @display(description=_("What happened"))
    def told(self, row: Any) -> SafeString:
        """The sentence, and what changed if it does not say so itself."""
        return format_html("<div>{}{}</div>", self.sentence(row), "" if sentences.tells_all(row) else _changes(row))

    @display(description=_("Changed"))
    def changed(self, row: Event) -> str:
        return _changes(row) or "-"

    @display(description=_("Who"))
    def who(self, row: Any) -> str:
        actor: str = row.names.actor(row.actor)
        return actor

    @display(description=_("Customer"))
    def customer(self, row: Any) -> str:
        if row.customer_id is None:
            return "-"
        return format_html("{} · {}", row.names.customer(row.customer_id), _timeline(customer_id=row.customer_id))

    @display(description=_("User"))
    def user(self, row: Any) -> str:
        if row.user_id is None:
            return "-"
        line = _timeline(customer_id=row.customer_id, user_id=row.user_id)
        return format_html("{} · {}", row.names.user(row.user_id), line)

    @display(description=_("From where"))
    def where(self, row: Event) -> str:
        return format_html(LINK, reverse(LIST, query={"ip": row.ip}), row.ip) if row.ip else "-"

    @display(description=_("Request id"))
    def request_link(self, row: Event) -> str:
        address = reverse(LIST, query={"request_id": row.request_id})
        return format_html(LINK, address, row.request_id) if row.request_id else "-"

    @display(description=_("Details"))
    def facts(self, row: Event) -> str:
        return format_html(
            '<pre class="whitespace-pre-wrap" tabindex="0">{}</pre>',
            json.dumps(row.details, indent=2, ensure_ascii=False),
        )

    @display(
        description=_("Outcome"),
        label={"success": "success", "failure": "warning", "denied": "danger"},
    )
    def coloured_outcome(self, row: Event) -> Label:
        return Label(row.outcome, row.get_outcome_display())

    @display(
        description=_("Severity"),
        label={"info": "default", "low": "info", "medium": "warning", "high": "danger", "critical": "danger"},
    )
    def coloured_severity(self, row: Event) -> Label:
        return Label(row.severity, row.get_severity_display())


def _changes(row: Event) -> str:
    lines = [
        (name, _("changed; the values are not kept") if before is None else f"{before} → {after}")
        for name, before, after in sentences.differences(row)
    ]
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {}</li>", lines)) if lines else ""


def _timeline(**of: Any) -> str:
    return format_html(LINK, reverse(LIST, query=of), _("its events"))
