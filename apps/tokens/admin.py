"""Sessions in the operators' admin, and the emergency rotation of a customer, which ends them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from unfold.decorators import action, display

from apps.audit.admin_base import ReadOnlyAdmin, who
from apps.customers.admin import CustomerAdmin
from apps.customers.models import Customer
from apps.tokens import devices, rotation, sessions
from apps.tokens.models import EndReason, Session

admin.site.unregister(Customer)


@admin.register(Customer)
class CustomerWithSessionsAdmin(CustomerAdmin):
    """The customer's page, with what needs to know of sessions, which customers themselves do not."""

    actions_detail = (*CustomerAdmin.actions_detail, "rotate_in_emergency")

    @action(description=_("Emergency rotation"), url_path="emergency", permissions=["change"])
    def rotate_in_emergency(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_none(request, object_id)
        if row is None:
            return self.to_list()
        living = Session.objects.filter(customer=row, ended_at=None, expires_at__gt=timezone.now()).count()

        def act(_form: forms.Form) -> str:
            ended = rotation.rotate_in_emergency(row, **who(request))
            return _("Rotated. %d session(s) ended.") % ended

        return self.ask_first(
            request,
            row,
            title=_("Emergency rotation of %s?") % row.name,
            explanation=[
                _("Every token of this customer is worthless from now on, and %d living session(s) end.") % living,
                _("All its users have to sign in again. This cannot be undone."),
            ],
            button=_("Rotate and end all sessions"),
            act=act,
        )


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    list_display = ("user", "customer", "device", "ip", "state", "created_at", "last_activity_at")
    list_filter = ("customer", "delivery", "end_reason")
    list_select_related = ("user", "customer")
    search_fields = ("user__email_identity", "id", "ip")
    fields = (
        "id",
        "user",
        "customer",
        "device",
        "user_agent",
        "ip",
        "delivery",
        "state",
        "created_at",
        "last_activity_at",
    )
    readonly_fields = ("device", "state")
    actions = ("end_selected",)
    actions_detail = ("end",)

    def has_end_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("tokens.change_session")

    @display(description=_("Device"))
    def device(self, row: Session) -> str:
        return devices.name_of(row.user_agent)

    @display(description=_("State"), label={"alive": "success", "expired": "warning"})
    def state(self, row: Session) -> str:
        if row.ended_at:
            return f"ended ({row.end_reason})"
        return "alive" if row.expires_at > timezone.now() else "expired"

    @action(description=_("End"), url_path="end", permissions=["end"])
    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_none(request, object_id)
        if row is None:
            return self.to_list()

        def act(_form: forms.Form) -> str:
            _end(row, request)
            return _("Ended.")

        return self.ask_first(
            request,
            row,
            title=_("End this session of %s?") % row.user.email,
            explanation=[_("The device is signed out with its next request.")],
            button=_("End the session"),
            act=act,
        )

    @admin.action(description=_("End the selected sessions"), permissions=["end"])
    def end_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        living = list(queryset.filter(ended_at=None, expires_at__gt=timezone.now()))
        if "confirmed" not in request.POST:
            return self._ask_to_end(request, len(living))
        for row in living:
            _end(row, request)
        self.message_user(request, _("%d session(s) ended.") % len(living))
        return None

    def _ask_to_end(self, request: HttpRequest, number: int) -> HttpResponse:
        """The same question as for one, with the selection kept in the page."""
        kept = ("action", "_selected_action", "select_across")
        hidden = [(name, value) for name in kept for value in request.POST.getlist(name)]
        context = {
            **self.admin_site.each_context(request),
            "title": _("End %d session(s)?") % number,
            "explanation": [_("Each device is signed out with its next request.")],
            "button": _("End the sessions"),
            "hidden": [*hidden, ("confirmed", "yes")],
            "back": reverse("admin:tokens_session_changelist"),
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "operators/confirm.html", context)


def _end(row: Session, request: HttpRequest) -> None:
    sessions.end_one(
        customer_id=row.customer_id,
        user_id=row.user_id,
        session_id=row.id,
        reason=EndReason.OPERATOR,
        **who(request),
    )
