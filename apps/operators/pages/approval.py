"""Users who wait to be approved, in the operators' admin, and the secret of a customer's outside identity check."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.approvals import approval_queue, check_secret, decisions, outside_answers
from apps.approvals.models import CheckState, IdentityCheck
from apps.customers import state as customers
from apps.customers.models import Customer
from apps.operators.pages.base import ReadOnlyAdmin, who
from apps.operators.pages.customer import CustomerForm
from apps.operators.pages.session import CustomerWithSessionsAdmin

admin.site.unregister(Customer)


class FixedCheckForm(CustomerForm):
    """A customer's policy, as those fill it in who may not say where its users are approved. What they post there is ignored."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "identity_check_url" in self.fields:  # not where all is but shown
            self.fields["identity_check_url"].disabled = True


@admin.register(Customer)
class CustomerWithIdentityCheckAdmin(CustomerWithSessionsAdmin):
    """The customer's page, with what belongs to its outside identity check.

    Whoever sets where it is asked for, or holds its secret, can approve users by it: so that takes the same permission.
    """

    actions_detail = (*CustomerWithSessionsAdmin.actions_detail, "renew_identity_check_secret")

    def get_form(self, request: HttpRequest, obj: Any = None, **options: Any) -> Any:
        if not request.user.has_perm(approval_queue.PERMISSION):
            options["form"] = FixedCheckForm
        return super().get_form(request, obj, **options)

    def has_renew_identity_check_secret_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(approval_queue.PERMISSION)

    @action(
        description=_("New identity check secret"),
        url_path="identity-check-secret",
        permissions=["change", "renew_identity_check_secret"],
    )
    def renew_identity_check_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_none(request, object_id)
        if row is None:
            return self.to_list()

        def act(_form: forms.Form) -> HttpResponse:
            text = check_secret.renew(row, **who(request))
            return self.show_once(request, row, title=_("The identity check secret of %s") % row.name, shown=text)

        return self.ask_first(
            request,
            row,
            title=_("A new identity check secret for %s?") % row.name,
            explanation=[
                _("It signs what is posted to the customer's identity check, and what comes back. It is shown once."),
                _("The present one, if there is any, is worthless from now on."),
            ],
            button=_("Make a new secret"),
            act=act,
        )


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=outside_answers.LONGEST_REASON,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("The user reads it in the mail."),
    )


@admin.register(IdentityCheck)
class IdentityCheckAdmin(ReadOnlyAdmin):
    list_display = ("user", "customer", "coloured_state", "created_at", "decided_at", "decided_by")
    list_filter = ("state", "customer")
    list_select_related = ("user", "customer")
    search_fields = ("user__email", "user__email_identity", "user__name", "id")
    ordering = ("-state", "created_at", "-id")  # "waiting" comes first
    fields = (
        *("user", "customer", "coloured_state", "reason", "created_at", "operators_told_at", "asked_at"),
        *("attempts", "decided_at", "decided_by"),
    )
    readonly_fields = ("coloured_state",)
    actions_detail = ("approve", "reject")

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(approval_queue.PERMISSION)

    def get_actions_detail(self, request: HttpRequest, object_id: Any = None) -> list[Any]:
        """Offer what makes sense: what was decided can be decided the other way."""
        row = self.get_object(request, str(object_id)) if object_id else None
        useless = {CheckState.APPROVED: "approve", CheckState.REJECTED: "reject"}.get(row.state, "-") if row else "-"
        offered: list[Any] = super().get_actions_detail(request, object_id)
        return [item for item in offered if not item.action_name.endswith(useless)]

    @display(
        description=_("State"),
        ordering="state",
        label={"waiting": "warning", "approved": "success", "rejected": "danger"},
    )
    def coloured_state(self, row: IdentityCheck) -> str:
        return row.state

    @action(description=_("Approve"), url_path="approve", permissions=["decide"])
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_none(request, object_id)
        if row is None:
            return self.to_list()

        def act(_form: forms.Form) -> str:
            decisions.approve(row, customer=customers.read(row.customer_id), **who(request))
            return _("Approved. The user is told by mail.")

        return self.ask_first(
            request,
            row,
            title=_("Approve %s?") % row.user.email,
            explanation=[_("The account becomes active, and the user is told by mail. It can be rejected later.")],
            button=_("Approve"),
            act=act,
        )

    @action(description=_("Reject"), url_path="reject", permissions=["decide"])
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_none(request, object_id)
        if row is None:
            return self.to_list()

        def act(form: forms.Form) -> str:
            customer = customers.read(row.customer_id)
            decisions.reject(row, reason=form.cleaned_data["reason"], customer=customer, **who(request))
            return _("Rejected. The user is told by mail.")

        return self.ask_first(
            request,
            row,
            title=_("Reject %s?") % row.user.email,
            explanation=[_("The account stays pending, and the user is told by mail. It can be approved later.")],
            button=_("Reject"),
            act=act,
            form_class=ReasonForm,
        )
