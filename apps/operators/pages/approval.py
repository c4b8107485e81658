"""Users who wait to be approved, and their identity documents."""

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.approvals import approval_queue, decisions, documents, outside_answers
from apps.approvals.models import CheckState, IdentityCheck
from apps.core.context import RequestContext
from apps.customers import state as customers
from apps.operators import document_answer
from apps.operators.context import context_of_operator
from apps.operators.declared_actions import RowAction
from apps.operators.pages.base import ReadOnlyAdmin
from apps.operators.questions import Question


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=outside_answers.LONGEST_REASON,
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
        *(
            "user",
            "customer",
            "coloured_state",
            "uploaded_documents",
            "reason",
            "created_at",
            "operators_told_at",
            "asked_at",
        ),
        *("attempts", "decided_at", "decided_by"),
    )
    readonly_fields = ("coloured_state", "uploaded_documents")
    actions_detail = ("approve", "reject")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.open_document)
        document = path("<uuid:check_id>/documents/<uuid:file_id>/", view, name="approvals_identitycheck_document")
        return [document, *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: IdentityCheck | None = None) -> list[Any]:
        """Who may not decide does not learn what there is to decide by."""
        return [name for name in self.fields if name != "uploaded_documents" or _may_decide(request)]

    @display(description=_("Documents"))
    def uploaded_documents(self, row: IdentityCheck) -> SafeString | str:
        """A link to each. What they are called is the user's text."""
        rows = [
            (
                address := _address(row, file.id),
                file.name,
                file.media_type,
                filesizeformat(file.size),
                address,
                _("Save"),
            )
            for file in documents.of(row)
        ]
        link = '<a class="underline" href="{}" target="_blank" rel="noopener noreferrer">{}</a> ({}, {}) '
        save = '<a class="underline" href="{}?download=1">{}</a>'
        return format_html_join("\n", f"<div>{link}{save}</div>", rows) or _("None")

    def open_document(self, request: HttpRequest, check_id: UUID, file_id: UUID) -> HttpResponseBase:
        """One document of this check's user, decrypted to this operator alone."""
        if not _may_decide(request):
            raise PermissionDenied
        check = self.get_object(request, str(check_id))
        if check is None:
            raise Http404
        opened = documents.open_for_operator(
            check,
            file_id=file_id,
            still_allowed=lambda: document_answer.require_still_operator(request),
            context=context_of_operator(request),
        )
        return document_answer.show(opened, as_attachment="download" in request.GET)

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


def _may_decide(request: HttpRequest) -> bool:
    return request.user.has_perm(approval_queue.PERMISSION)


def _address(check: IdentityCheck, file_id: UUID) -> str:
    return reverse("admin:approvals_identitycheck_document", args=[check.pk, file_id])
