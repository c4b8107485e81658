"""Sessions in the operators' admin, and what ends them: the emergency rotation of a customer, a user's deactivation."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from unfold.decorators import action, display

from apps.accounts import deactivation
from apps.core.errors import NotFound
from apps.customers.models import Customer
from apps.operators.pages.base import ReadOnlyAdmin, who
from apps.operators.pages.customer import CustomerAdmin
from apps.operators.pages.user import UserAdmin
from apps.tokens import devices, emergency_rotation, sessions
from apps.tokens.models import EndReason, Session
from apps.users.models import BuiltInRole, User, UserStatus

for model in (Customer, User):
    admin.site.unregister(model)


@admin.register(Customer)
class CustomerWithSessionsAdmin(CustomerAdmin):
    """The customer's page, with what needs to know of sessions, which customers themselves do not."""

    actions_detail = (*CustomerAdmin.actions_detail, "rotate_in_emergency")

    @action(description=_("Emergency rotation"), url_path="emergency", permissions=["change"])
    def rotate_in_emergency(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_none(request, object_id)
        if row is None:
            return self.to_list()
        living = Session.objects.of(row.id).filter(ended_at=None, expires_at__gt=timezone.now()).count()

        def act(_form: forms.Form) -> str:
            ended = emergency_rotation.rotate_in_emergency(row, **who(request))
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


@admin.register(User)
class UserWithSessionsAdmin(UserAdmin):
    """The user's page, with what needs to know of sessions, which users themselves do not."""

    actions_detail = ("deactivate", *UserAdmin.actions_detail)

    def save_model(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        super().save_model(request, row, form, change)
        if change and row.role == BuiltInRole.ADMIN and "role" in form.changed_data:
            sessions.end_begun_by_test_keys(customer_id=row.customer_id, user_id=row.id, **who(request))

    def get_actions_detail(self, request: HttpRequest, object_id: Any = None) -> list[Any]:
        """Offer what makes sense: reactivate the deactivated, deactivate all others."""
        row = self.get_object(request, str(object_id)) if object_id else None
        useless = "deactivate" if row is not None and row.status == UserStatus.DEACTIVATED else "reactivate"
        offered: list[Any] = super().get_actions_detail(request, object_id)
        return [item for item in offered if not item.action_name.endswith(f"_{useless}")]

    @action(description=_("Deactivate"), url_path="deactivate", permissions=["change"])
    def deactivate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_none(request, object_id)
        if row is None:
            return self.to_list()
        living = sessions.alive(customer_id=row.customer_id, user_id=row.id, now=timezone.now()).count()

        def act(_form: forms.Form) -> str:
            deactivation.deactivate(row, **who(request))
            return _("Deactivated.")

        return self.ask_first(
            request,
            row,
            title=_("Deactivate %s?") % row.email,
            explanation=[
                _("The user is signed out everywhere, and cannot sign in. %d living session(s) end.") % living,
                _("Nothing is deleted; the account can be reactivated at any time."),
            ],
            button=_("Deactivate"),
            act=act,
        )


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    list_display = ("user", "customer", "device", "ip", "state", "created_at", "last_activity_at")
    list_filter = ("customer", "delivery", "end_reason")
    ordering = ("-id",)  # UUIDv7: the newest first, in the order of the primary key
    list_select_related = ("user", "customer")
    search_fields = ("user__email", "user__email_identity", "id", "ip")
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
        "auth_time",
        "amr",
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
        ended = [row for row in living if _has_ended(row, request)]
        self.message_user(request, _("%d session(s) ended.") % len(ended))
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


def _has_ended(row: Session, request: HttpRequest) -> bool:
    """End one of many. False: it ended by itself meanwhile, which is no reason to leave the others alive."""
    try:
        _end(row, request)
    except NotFound:
        return False
    return True


def _end(row: Session, request: HttpRequest) -> None:
    sessions.end_one(
        customer_id=row.customer_id,
        user_id=row.user_id,
        session_id=row.id,
        reason=EndReason.OPERATOR,
        **who(request),
    )
