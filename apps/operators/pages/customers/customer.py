"""Customers: policy, allowlist, limits, suspension, rotation. Secrets show as fingerprints."""

from typing import Any

from django import forms
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import OuterRef, QuerySet, Subquery, URLField
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.approvals import approval_queue, check_secret
from apps.core.context import RequestContext
from apps.customers import keyring, lifecycle
from apps.customers.models import Customer, CustomerStatus
from apps.mail.models import MailQuotaUse
from apps.operators.changes import consequences
from apps.operators.changes.declared_actions import RowAction
from apps.operators.context import context_of_operator
from apps.operators.lists.labels import Label
from apps.operators.lists.searches import by_id, by_name, by_slug
from apps.operators.new_secrets.shown_once import ShownOnce
from apps.operators.pages.base import NeverDeleted
from apps.operators.pages.customers.adding import AddsCustomers
from apps.operators.pages.customers.customer_tabs import CustomerTabs
from apps.operators.pages.customers.deleting import DeletesCustomers
from apps.operators.questions import Question
from apps.operators.team import roles
from apps.operators.words import sessions_ended
from apps.tokens import emergency_rotation


class SuspensionForm(forms.Form):
    reason = forms.CharField(
        label=lazy("Reason"),
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=lazy("Operators read it on the customer's page. Without addresses: the audit trail keeps it."),
    )

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"]
        if "@" in reason:
            raise forms.ValidationError(_("No addresses here: the audit trail keeps the reason for ever."))
        return reason


class CustomerAdmin(NeverDeleted, AddsCustomers, DeletesCustomers, CustomerTabs):
    """Customers are not deleted by Django's button, but as `deleting` does it.

    The address and the secret of a customer's outside identity check are enough to approve its users. So both take the
    permission to approve.
    """

    flows_record = True
    history_by = "customer_id"
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    list_display = ("name", "slug", "state", "codes_today", "created_at")
    list_filter = ("status",)
    searches = (by_name("name"), by_slug, by_id)
    search_help_text = lazy("How the name or short name begins, or an id")
    sortable_by = ("name", "slug", "created_at")
    ordering = ("name",)
    fields = ("name", "slug")
    actions_detail = (
        "getting_started",
        "suspend",
        "reactivate",
        "rotate_gracefully",
        "rotate_in_emergency",
        "renew_identity_check_secret",
        "delete_everything",
    )

    def may_choose(self, request: HttpRequest) -> bool:
        """Also who helps users and sees no policy: by its name, a customer narrows a list."""
        return super().may_choose(request) or request.user.has_perm(roles.HELP_USERS)

    def save_model(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        """Only additions come here: the page of a customer has small forms of its own."""
        lifecycle.register(row, context=context_of_operator(request))

    @display(description=lazy("State"), label={"active": "success", "suspended": "danger", "deleting": "warning"})
    def state(self, row: Customer) -> Label:
        return Label(row.status, row.get_status_display())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """With what each has sent today, read with the rows: asked row by row, a list of 100 took 111 statements."""
        of_today = MailQuotaUse.objects.filter(pk=OuterRef("pk"), day=timezone.now().date())
        customers: QuerySet[Customer] = super().get_queryset(request)
        return customers.annotate(sent_today=Subquery(of_today.values("sent_today")))

    @display(description=lazy("Codes today"))
    def codes_today(self, row: Any) -> str:
        used, allowed = intcomma(row.sent_today or 0), intcomma(row.daily_code_quota)
        return _("%(used)s of %(allowed)s") % {"used": used, "allowed": allowed}

    @RowAction(
        label=lazy("Suspend"),
        url_path="suspend",
        is_grave=True,
        permissions=["change"],
        form=SuspensionForm,
        offered=lambda customer: customer.status == CustomerStatus.ACTIVE,
        question=lambda customer: Question(
            _("Suspend %s?") % customer.name,
            [
                _("Every request with its keys or tokens is refused from now on. Nobody can sign in."),
                _("Nothing is deleted; it can be reactivated at any time."),
            ],
            button=_("Suspend"),
            numbers=consequences.of_everything(customer),
        ),
    )
    def suspend(self, customer: Customer, context: RequestContext, form: forms.Form) -> str:
        lifecycle.suspend(customer, context=context, reason=form.cleaned_data["reason"])
        return _("Suspended.")

    @RowAction(
        label=lazy("Reactivate"),
        url_path="reactivate",
        permissions=["change"],
        offered=lambda customer: customer.status == CustomerStatus.SUSPENDED,
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
        label=lazy("Rotate secrets"),
        url_path="rotate",
        leads_to=lambda _page, request: _address_of_secrets(request),
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
        label=lazy("Emergency rotation"),
        url_path="emergency",
        leads_to=lambda _page, request: _address_of_secrets(request),
        is_grave=True,
        permissions=["change"],
        question=lambda customer: Question(
            _("Emergency rotation of %s?") % customer.name,
            [
                _("Every token of this customer is worthless from now on, and its living sessions end."),
                _("All its users have to sign in again. This cannot be undone."),
            ],
            button=_("Rotate and end all sessions"),
            numbers=consequences.of_everything(customer),
        ),
    )
    def rotate_in_emergency(self, customer: Customer, context: RequestContext) -> str:
        ended = emergency_rotation.rotate_in_emergency(customer, context=context)
        return f"{_('Rotated.')} {sessions_ended(ended)}"

    @RowAction(
        label=lazy("New identity check secret"),
        url_path="identity-check-secret",
        is_grave=True,
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


def _address_of_secrets(request: HttpRequest) -> str:
    """The part of the customer's page from which this request rotates them."""
    return request.path.rsplit("/", 2)[0] + "/secrets/"
