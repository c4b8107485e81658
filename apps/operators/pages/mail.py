"""Mail: its state, what servers answered, sending again. Never what it says."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from unfold.admin import TabularInline
from unfold.decorators import display

from apps.audit import actions, events
from apps.core.context import RequestContext
from apps.mail import outbox
from apps.mail.models import LedgerEntry, Message
from apps.operators.declared_actions import RowAction
from apps.operators.pages.base import LookOnly, ReadOnlyAdmin
from apps.operators.questions import Question

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


class LedgerInline(LookOnly, TabularInline):
    model = LedgerEntry
    extra = 0
    fields = readonly_fields = ("at", "step", "server", "answer")


class KindFilter(admin.SimpleListFilter):
    """By the kinds that have a template. Django's own filter would read every mail to list them."""

    title = "kind"
    parameter_name = "kind__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        templates = settings.BASE_DIR / "templates"
        mails = {path.parent.name for path in templates.glob("mail/*/body.txt")}
        return [(kind, kind) for kind in sorted(mails | {path.stem for path in templates.glob("sms/*.txt")})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class MessageAdmin(ReadOnlyAdmin):
    list_display = ("recipient", "kind", "channel", "coloured_state", "attempts", "created_at", "last_error")
    list_filter = ("state", "channel", KindFilter)
    ordering = ("-id",)  # UUIDv7: the newest first, in the order of the primary key
    search_fields = ("recipient", "id", "customer_id")
    fields = (*FIELDS, "expires_at", "leased_until", "last_error")
    inlines = (LedgerInline,)
    actions_detail = ("send_again",)

    @display(
        description=_("State"),
        ordering="state",
        label={"sent": "success", "failed": "danger", "queued": "info", "taken": "info"},
    )
    def coloured_state(self, row: Message) -> str:
        return row.state

    @RowAction(
        label=_("Send again"),
        url_path="resend",
        permissions=["change"],
        question=lambda message: Question(
            _("Send this mail to %s again?") % message.recipient,
            [_("Possible while its content is still kept: until it has been sent, or its code has expired.")],
            button=_("Send again"),
        ),
    )
    def send_again(self, message: Message, context: RequestContext) -> str:
        outbox.resend(message=message, now=context.now)
        details = {"message": str(message.id)}
        events.record(
            action=actions.MAIL_RESENT,
            customer_id=message.customer_id,
            details=details,
            context=context,
        )
        return _("It is on its way again.")
