"""Users who wait to be approved, and their identity documents."""

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.forms import Script
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.approvals import approval_queue, decisions, documents, outside_answers
from apps.approvals.errors import AlreadyDecided
from apps.approvals.models import CheckState, IdentityCheck
from apps.core.context import RequestContext
from apps.customers import state as customers
from apps.operators.changes.declared_actions import RowAction, SelectionAction
from apps.operators.context import context_of_operator
from apps.operators.lists.labels import Label
from apps.operators.lists.searches import by_address_of_user, by_id, by_reference
from apps.operators.pages import approval_desk, document_answer
from apps.operators.pages.base import ReadOnlyAdmin
from apps.operators.questions import Question, address_of, address_of_list

MOST_NAMED = 20  # of the selected users, in the question


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=lazy("Reason"),
        max_length=outside_answers.LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=lazy("The user reads it in the mail."),
    )


class IdentityCheckAdmin(ReadOnlyAdmin):
    """What was decided can be decided the other way."""

    class Media:
        css: ClassVar = {"all": ["operators/confirm.css", "operators/user.css", "operators/approval.css"]}
        js: ClassVar = [Script("operators/approval.js", type="module")]

    change_form_outer_before_template = "operators/approval/desk.html"
    list_display = ("user", "customer", "coloured_state", "created_at", "decided_at", "decided_by")
    list_filter = ("state", "customer")
    list_select_related = ("user", "customer")
    searches = (by_address_of_user("user"), by_reference("user"), by_id)
    search_help_text = lazy("A whole address, or an id")
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
    actions = ("approve_selected",)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.open_document)
        document = path("<uuid:check_id>/documents/<uuid:file_id>/", view, name="approvals_identitycheck_document")
        return [document, *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: IdentityCheck | None = None) -> list[Any]:
        """Who may not decide does not learn what there is to decide by. While the user waits, the desk shows it."""
        at_desk = obj is not None and obj.state == CheckState.WAITING
        return [name for name in self.fields if name != "uploaded_documents" or (_may_decide(request) and not at_desk)]

    @display(description=lazy("Documents"))
    def uploaded_documents(self, row: IdentityCheck) -> SafeString | str:
        """A link to each. What they are called is the user's text."""
        rows = [
            (
                address := approval_desk.address_of_document(row, file),
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
            still_allowed=lambda: document_answer.require_still_allowed(request, approval_queue.PERMISSION, check),
            context=context_of_operator(request),
        )
        is_beside = document_answer.BESIDE in request.GET
        return document_answer.show(opened, as_attachment="download" in request.GET, is_beside=is_beside)

    @display(
        description=lazy("State"),
        ordering="state",
        label={"waiting": "warning", "approved": "success", "rejected": "danger"},
    )
    def coloured_state(self, row: IdentityCheck) -> Label:
        return Label(row.state, row.get_state_display())

    def next_address(self, request: HttpRequest) -> str:
        """The page of the user who has waited longest, of those whom this operator decides about; the list if nobody waits."""
        check = approval_desk.waiting(self.get_queryset(request)).first()
        return address_of(check) if check else address_of_list(IdentityCheck)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """While the user waits, the page is the desk at which that is decided."""
        check: IdentityCheck | None = context.get("original")
        if check is not None and check.state == CheckState.WAITING and _may_decide(request):
            context |= approval_desk.facts(check, approval_desk.waiting(self.get_queryset(request)), ReasonForm())
            context["actions_detail"] = []  # they are at the desk
        return super().render_change_form(request, context, *args, **options)

    @SelectionAction(
        label=lazy("Approve the selected users"),
        permissions=[approval_queue.PERMISSION],
        is_good=True,
        affected=lambda selected: selected.exclude(state=CheckState.APPROVED),
        question=lambda chosen: Question(
            ngettext("Approve %d user?", "Approve %d users?", len(chosen)) % len(chosen),
            [
                _("The accounts become active, and each user is told by mail. It can be rejected later."),
                ", ".join(check.user.email for check in chosen[:MOST_NAMED])
                + (", …" if len(chosen) > MOST_NAMED else ""),
            ],
            button=_("Approve"),
        ),
    )
    def approve_selected(self, chosen: list[IdentityCheck], context: RequestContext) -> str:
        approved = sum(_is_approved(check, context) for check in chosen)
        return ngettext("%d user approved.", "%d users approved.", approved) % approved

    @RowAction(
        label=lazy("Approve"),
        url_path="approve",
        permissions=[approval_queue.PERMISSION],
        offered=lambda check: check.state != CheckState.APPROVED,
        is_good=True,
        leads_to=lambda page, request: page.next_address(request),
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
        label=lazy("Reject"),
        takes_away=True,
        url_path="reject",
        permissions=[approval_queue.PERMISSION],
        offered=lambda check: check.state != CheckState.REJECTED,
        leads_to=lambda page, request: page.next_address(request),
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


def _is_approved(check: IdentityCheck, context: RequestContext) -> bool:
    """Approve one of many. False: somebody has decided meanwhile, and the others shall still be approved."""
    try:
        decisions.approve(check, customer=customers.read(check.customer_id), context=context)
    except AlreadyDecided:
        return False
    return True


def _may_decide(request: HttpRequest) -> bool:
    return request.user.has_perm(approval_queue.PERMISSION)
