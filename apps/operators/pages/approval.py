"""Users who wait to be approved."""

from django import forms
from django.utils.translation import gettext as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.approvals import approval_queue, decisions, outside_answers
from apps.approvals.models import CheckState, IdentityCheck
from apps.core.context import RequestContext
from apps.customers import state as customers
from apps.operators.declared_actions import RowAction
from apps.operators.pages.base import ReadOnlyAdmin
from apps.operators.questions import Question


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=outside_answers.LONGEST_REASON,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("The user reads it in the mail."),
    )


class IdentityCheckAdmin(ReadOnlyAdmin):
    """What was decided can be decided the other way."""

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

    @display(
        description=_("State"),
        ordering="state",
        label={"waiting": "warning", "approved": "success", "rejected": "danger"},
    )
    def coloured_state(self, row: IdentityCheck) -> str:
        return row.state

    @RowAction(
        label=_("Approve"),
        url_path="approve",
        permissions=[approval_queue.PERMISSION],
        offered=lambda check: check.state != CheckState.APPROVED,
        question=lambda check: Question(
            _("Approve %s?") % check.user.email,
            [_("The account becomes active, and the user is told by mail. It can be rejected later.")],
            button=_("Approve"),
        ),
    )
    def approve(self, check: IdentityCheck, context: RequestContext) -> str:
        decisions.approve(check, customer=customers.read(check.customer_id), context=context)
        return _("Approved. The user is told by mail.")

    @RowAction(
        label=_("Reject"),
        url_path="reject",
        permissions=[approval_queue.PERMISSION],
        offered=lambda check: check.state != CheckState.REJECTED,
        form=ReasonForm,
        question=lambda check: Question(
            _("Reject %s?") % check.user.email,
            [_("The account stays pending, and the user is told by mail. It can be approved later.")],
            button=_("Reject"),
        ),
    )
    def reject(self, check: IdentityCheck, context: RequestContext, form: forms.Form) -> str:
        customer = customers.read(check.customer_id)
        decisions.reject(check, reason=form.cleaned_data["reason"], customer=customer, context=context)
        return _("Rejected. The user is told by mail.")
