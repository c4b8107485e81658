"""Mail in the operators' admin: its state, what servers answered, sending again. Never what it says."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from unfold.admin import TabularInline
from unfold.decorators import action, display

from apps.audit import actions, events
from apps.mail import outbox
from apps.mail.models import LedgerEntry, Message
from apps.operators.pages.base import LookOnly, ReadOnlyAdmin, who

FIELDS = (
    "id",
    "kind",
    "channel",
    "recipient",
    "customer_id",
    "user_id",
    "state",
    "attempts",
    "created_at",
    "next_try_at",
)


class LedgerInline(LookOnly, TabularInline):  # type: ignore[misc]  # unfold has no types
    model = LedgerEntry
    extra = 0
    fields = readonly_fields = ("at", "step", "server", "answer")


class KindFilter(admin.SimpleListFilter):
    """The kinds that there are templates for. Django's own filter would read every mail to list the kinds."""

    title = "kind"
    parameter_name = "kind__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        templates = settings.BASE_DIR / "templates"
        mails = {path.parent.name for path in templates.glob("mail/*/body.txt")}
        return [(kind, kind) for kind in sorted(mails | {path.stem for path in templates.glob("sms/*.txt")})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ("recipient", "kind", "channel", "coloured_state", "attempts", "created_at", "last_error")
    list_filter = ("state", "channel", KindFilter)
    ordering = ("-id",)  # UUIDv7: the newest first, in the order of the primary key
    search_fields = ("recipient", "id", "customer_id")
    fields = (*FIELDS, "expires_at", "leased_until", "last_error")
    inlines = (LedgerInline,)
    actions_detail = ("send_again",)

    def has_resend_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("mail.change_message")

    @display(
        description=_("State"),
        ordering="state",
        label={"sent": "success", "failed": "danger", "queued": "info", "taken": "info"},
    )
    def coloured_state(self, row: Message) -> str:
        return row.state

    @action(description=_("Send again"), url_path="resend", permissions=["resend"])
    def send_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_none(request, object_id)
        if row is None:
            return self.to_list()

        def act(_form: forms.Form) -> str:
            acting = who(request)
            outbox.resend(message=row, now=acting["now"])
            details = {"message": str(row.id)}
            events.record(action=actions.MAIL_RESENT, customer_id=row.customer_id, details=details, **acting)
            return _("It is on its way again.")

        return self.ask_first(
            request,
            row,
            title=_("Send this mail to %s again?") % row.recipient,
            explanation=[
                _("Possible while its content is still kept: until it has been sent, or its code has expired.")
            ],
            button=_("Send again"),
            act=act,
        )
