"""The question before a change is undone, on the page of its event; and the one before all that a request did is."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from unfold.decorators import display

from apps.audit.models import Event
from apps.core.errors import GatehouseError
from apps.operators import questions
from apps.operators.changes import undo, undo_requests
from apps.operators.context import context_of_operator
from apps.operators.pages.base import ReadOnlyAdmin
from apps.operators.sign_in import step_up


class UndoesChanges(ReadOnlyAdmin):
    """Only a POST undoes; a GET asks. Who may undo a change is who may make it."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.undo_change)
        of_request = self.admin_site.admin_view(self.undo_request)
        return [
            path("<uuid:event_id>/undo/", view, name="audit_event_undo"),
            path("of-request/<str:request_id>/undo/", of_request, name="audit_event_undo_request"),
            *super().get_urls(),
        ]

    def undo_change(self, request: HttpRequest, event_id: UUID) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        event = self.get_object(request, str(event_id))
        found = undo.of(event) if event else None
        if event is None or found is None:
            messages.error(request, _("There is nothing to undo here."))
            return HttpResponseRedirect(questions.address_of_list(Event))
        if not request.user.has_perm(found.permission):
            raise PermissionDenied
        return self._ask_or_undo(request, event, found)

    def _ask_or_undo(self, request: HttpRequest, event: Event, found: undo.Undo) -> HttpResponse:
        question, is_grave = found.question()
        proof = step_up.due(request, is_answered=request.method == "POST") if is_grave else None
        back = questions.address_of(event)
        if request.method != "POST" or (proof is not None and not proof.is_valid()):
            return questions.ask(self, request, question, proof=proof, is_grave=is_grave, back=back)
        try:
            undo.undo(event, context_of_operator(request))
        except GatehouseError as error:
            questions.say_why(request, error)
            return HttpResponseRedirect(back)
        messages.success(request, _("Undone."))
        return HttpResponseRedirect(questions.address_of(found.row))

    def undo_request(self, request: HttpRequest, request_id: str) -> HttpResponse:
        """All that the operator's own request did, as far as it may be seen, is still so, and may be set back."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = context_of_operator(request)
        done = undo_requests.changes_of(self.get_queryset(request), request_id, context.actor)
        found = [each for each in done if request.user.has_perm(each.permission) and not undo.is_back(each)]
        if not found:
            messages.error(request, _("There is nothing to undo here."))
            return HttpResponseRedirect(questions.address_of_list(Event))
        question, is_grave = undo_requests.question(found)
        proof = step_up.due(request, is_answered=request.method == "POST") if is_grave else None
        back = reverse("admin:audit_event_changelist", query={"request_id": request_id})
        if request.method != "POST" or (proof is not None and not proof.is_valid()):
            return questions.ask(self, request, question, proof=proof, is_grave=is_grave, back=back)
        _say(request, undo_requests.undo_all(found, context))
        return HttpResponseRedirect(back)

    @display(description=lazy("Undo"))
    def undo_link(self, row: Event) -> Any:
        """Shown for each change that can be set back. Its page checks who may."""
        if undo.of(row) is None:
            return _("Nothing to undo")
        address = reverse("admin:audit_event_undo", args=[row.pk])
        return format_html('<a class="underline" href="{}">{}</a>', address, _("Undo this change"))


def _say(request: HttpRequest, attempt: undo_requests.Attempt) -> None:
    """How many were undone; and of each other row, why not."""
    number = len(attempt.undone)
    if number:
        messages.success(request, ngettext("%d change undone.", "%d changes undone.", number) % number)
    for kept, error in attempt.kept:
        messages.error(request, f"{kept.row}: {error.text}")
