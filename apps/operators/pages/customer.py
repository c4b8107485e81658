"""Customers: policy, allowlist, limits, suspension, rotation. Secrets show as fingerprints."""

from typing import Any

from django.db.models import URLField
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from unfold.decorators import display

from apps.approvals import approval_queue, check_secret
from apps.core.context import RequestContext
from apps.customers import keyring, lifecycle, limits
from apps.customers.models import Customer, CustomerStatus, SigningSecret
from apps.mail.models import MailQuotaUse
from apps.operators.context import context_of_operator
from apps.operators.declared_actions import RowAction
from apps.operators.pages import customer_lists
from apps.operators.pages.base import AuditedAdmin, NeverDeleted
from apps.operators.pages.customer_lists import LimitInline, NetworkInline
from apps.operators.pages.customer_policy import FIELDSETS, CustomerForm, CustomerFormOfOthers
from apps.operators.questions import Question, ShownOnce
from apps.tokens import emergency_rotation
from apps.tokens.models import Session

LINE_BREAK = mark_safe("<br>")


class CustomerAdmin(NeverDeleted, AuditedAdmin):
    """Customers are not deleted but suspended: their events and users stay.

    The address and the secret of a customer's outside identity check are enough to approve its users. So both take the
    permission to approve.
    """

    form = CustomerForm
    flows_record = True
    history_by = "customer_id"
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    list_display = ("name", "slug", "state", "codes_today", "created_at")
    list_filter = ("status",)
    search_fields = ("name", "slug")
    readonly_fields = ("id", "status", "created_at", "secrets", "default_limits")
    fieldsets = FIELDSETS
    inlines = (NetworkInline, LimitInline)
    actions_detail = (
        "suspend",
        "reactivate",
        "rotate_gracefully",
        "rotate_in_emergency",
        "renew_identity_check_secret",
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:  # noqa: FBT001, FBT002
        if not request.user.has_perm(approval_queue.PERMISSION):
            options["form"] = CustomerFormOfOthers
        return super().get_form(request, obj, change, **options)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "slug") if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            if changes:
                lifecycle.update_policy(customer=row, changes=changes, context=context_of_operator(request))
        else:
            lifecycle.register(row, context=context_of_operator(request))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001
        customer_lists.save(formset, form.instance, context_of_operator(request))

    @display(description=_("State"), label={"active": "success", "suspended": "danger"})
    def state(self, row: Customer) -> str:
        return row.status

    @display(description=_("Codes today"))
    def codes_today(self, row: Customer) -> str:
        used = MailQuotaUse.objects.of(row.id).filter(day=timezone.now().date()).first()
        return f"{used.sent_today if used else 0} of {row.daily_code_quota}"

    @display(description=_("Versions"))
    def secrets(self, row: Customer) -> str:
        if row._state.adding:
            return _("Made with the customer.")
        lines = [
            (secret.fingerprint, secret.algorithm, timesince(secret.created_at), _state_of(secret))
            for secret in row.signing_secrets.all()
        ]
        return format_html_join(LINE_BREAK, "<code>{}…</code>, {}, {} old, {}", lines)

    @display(description=_("Limits by default"))
    def default_limits(self, _row: Customer) -> str:
        lines = [
            (limit.name, limit.count, f"{limit.window} s" if limit.window else "a row, ever")
            for limit in limits.DEFAULTS.values()
        ]
        return format_html_join(LINE_BREAK, "{}: {} in {}", lines)

    @RowAction(
        label=_("Suspend"),
        url_path="suspend",
        permissions=["change"],
        offered=lambda customer: customer.status == CustomerStatus.ACTIVE,
        question=lambda customer: Question(
            _("Suspend %s?") % customer.name,
            [
                _("Every request with its keys or tokens is refused from now on. Nobody can sign in."),
                _("Nothing is deleted; it can be reactivated at any time."),
            ],
            button=_("Suspend"),
        ),
    )
    def suspend(self, customer: Customer, context: RequestContext) -> str:
        lifecycle.suspend(customer, context=context)
        return _("Suspended.")

    @RowAction(
        label=_("Reactivate"),
        url_path="reactivate",
        permissions=["change"],
        offered=lambda customer: customer.status != CustomerStatus.ACTIVE,
        question=lambda customer: Question(
            _("Reactivate %s?") % customer.name,
            [_("Its keys and tokens work again from now on.")],
            button=_("Reactivate"),
        ),
    )
    def reactivate(self, customer: Customer, context: RequestContext) -> str:
        lifecycle.reactivate(customer, context=context)
        return _("Active again.")

    @RowAction(
        label=_("Rotate secrets"),
        url_path="rotate",
        permissions=["change"],
        question=lambda customer: Question(
            _("Rotate the secrets of %s?") % customer.name,
            [
                _("New tokens are signed with a new secret. Nobody is signed out."),
                _("The old secret verifies until %s, when the last token it signed has expired.")
                % f"{keyring.last_expiry(customer, now=timezone.now()):%Y-%m-%d %H:%M} UTC",
            ],
            button=_("Rotate"),
        ),
    )
    def rotate_gracefully(self, customer: Customer, context: RequestContext) -> str:
        keyring.rotate_gracefully(customer, context=context)
        return _("New tokens are signed with a new secret.")

    @RowAction(
        label=_("Emergency rotation"),
        url_path="emergency",
        permissions=["change"],
        question=lambda customer: Question(
            _("Emergency rotation of %s?") % customer.name,
            [
                _("Every token of this customer is worthless from now on, and %d living session(s) end.")
                % _living_sessions(customer),
                _("All its users have to sign in again. This cannot be undone."),
            ],
            button=_("Rotate and end all sessions"),
        ),
    )
    def rotate_in_emergency(self, customer: Customer, context: RequestContext) -> str:
        ended = emergency_rotation.rotate_in_emergency(customer, context=context)
        return _("Rotated. %d session(s) ended.") % ended

    @RowAction(
        label=_("New identity check secret"),
        url_path="identity-check-secret",
        permissions=["change", approval_queue.PERMISSION],
        question=lambda customer: Question(
            _("A new identity check secret for %s?") % customer.name,
            [
                _("It signs what is posted to the customer's identity check, and what comes back. It is shown once."),
                _("The present one, if there is any, is worthless from now on."),
            ],
            button=_("Make a new secret"),
        ),
    )
    def renew_identity_check_secret(self, customer: Customer, context: RequestContext) -> ShownOnce:
        text = check_secret.renew(customer, context=context)
        return ShownOnce(_("The identity check secret of %s") % customer.name, text, customer)


def _living_sessions(customer: Customer) -> int:
    return Session.objects.of(customer.id).alive(timezone.now()).count()


def _state_of(secret: SigningSecret) -> str:
    if secret.retires_at is None:
        return _("current")
    if secret.retires_at > timezone.now():
        return _("verifies until %s") % f"{secret.retires_at:%Y-%m-%d %H:%M} UTC"
    return _("retired")
