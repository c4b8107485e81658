"""Mail: its state, what servers answered, sending again. Never what it says."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from unfold.admin import TabularInline
from unfold.decorators import display

from apps.audit import actions, events
from apps.core.context import RequestContext
from apps.core.errors import NotFound
from apps.customers import state as customers
from apps.customers.operator_mails import OperatorMail
from apps.mail import outbox
from apps.mail.models import LedgerEntry, LedgerStep, Message
from apps.operators import words
from apps.operators.changes.declared_actions import RowAction
from apps.operators.lists.figure_rows import TO_OPERATORS
from apps.operators.lists.labels import Label
from apps.operators.lists.searches import by_id, by_recipient
from apps.operators.pages.base import LookOnly, ReadOnlyAdmin, link_to
from apps.operators.questions import Question

FIELDS = (
    "kind_said",
    "channel",
    "recipient",
    "of_customer",
    "of_user",
    "state",
    "attempts",
    "created_at",
    "next_try_at",
)


class LedgerInline(LookOnly, TabularInline):
    model = LedgerEntry
    extra = 0
    fields = readonly_fields = ("at", "step", "server", "answer")
    template_after = "operators/no_steps.html"


class KindFilter(admin.SimpleListFilter):
    """By the kinds that have a template. Django's own filter would read every mail to list them."""

    title = lazy("kind")
    parameter_name = "kind__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        templates = settings.BASE_DIR / "templates"
        mails = {path.parent.name for path in templates.glob("mail/*/body.txt")}
        return [
            (kind, words.kind_of_mail(kind))
            for kind in sorted(mails | {path.stem for path in templates.glob("sms/*.txt")})
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class RedeemedFilter(admin.SimpleListFilter):
    """Messages whose code was used. A spent code may also have been one of a set of which another was used."""

    title = lazy("code")
    parameter_name = "redeemed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("redeemed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        if self.value() != "yes":
            return queryset
        used = LedgerEntry.objects.filter(message=OuterRef("pk"), step=LedgerStep.CODE_USED)
        return queryset.filter(Exists(used))


class RecipientFilter(admin.SimpleListFilter):
    """Mails to operators are rows of the default customer."""

    title = lazy("recipient")
    parameter_name = TO_OPERATORS

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("users")), ("yes", _("operators"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        if self.value() == "yes":
            return queryset.filter(kind__in=OperatorMail)
        return queryset.exclude(kind__in=OperatorMail) if self.value() == "no" else queryset


class MessageAdmin(ReadOnlyAdmin):
    list_display = ("recipient", "kind_said", "channel", "coloured_state", "attempts", "created_at", "last_error")
    list_filter = ("state", "channel", KindFilter, RedeemedFilter, RecipientFilter)
    searches = (by_recipient, by_id)
    search_help_text = lazy("A whole address, or an id")
    fields = (*FIELDS, "expires_at", "leased_until", "last_error", "id")
    inlines = (LedgerInline,)
    readonly_fields = ("kind_said", "of_customer", "of_user")
    actions_detail = ("send_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        """Mails to operators, which are the default customer's, are for those who may see operators."""
        rows: QuerySet[Message] = super().get_queryset(request)
        return rows if request.user.has_perm("auth.view_user") else rows.exclude(kind__in=OperatorMail)

    @display(description=lazy("Kind"), ordering="kind")
    def kind_said(self, row: Message) -> Any:
        return words.kind_of_mail(row.kind)

    @display(description=lazy("Customer"), ordering="customer_id")
    def of_customer(self, row: Message) -> str:
        """By its name, as long as there is one."""
        try:
            name = customers.read(row.customer_id).name
        except NotFound:
            name = ""
        return link_to("customers_customer", row.customer_id, name)

    @display(description=lazy("User"), ordering="user_id")
    def of_user(self, row: Message) -> str:
        return link_to("users_user", row.user_id, row.recipient)

    @display(
        description=lazy("State"),
        ordering="state",
        label={
            "sent": "success",
            "failed": "danger",
            "queued": "info",
            "taken": "info",
            "sandboxed": "default",
            "suppressed": "default",
        },
    )
    def coloured_state(self, row: Message) -> Label:
        return Label(row.state, row.get_state_display())

    @RowAction(
        label=lazy("Send again"),
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
