"""Has anything in the audit log been altered or removed? A button, how far it is, and what was found."""

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.audit import verification
from apps.audit.models import Event
from apps.operators.context import context_of_operator
from apps.operators.team import scope

MAY_VERIFY = "audit.verify_event"
PAGE = "admin:audit_event_verification"


def may_verify(request: HttpRequest) -> bool:
    return scope.of(request).is_everything and request.user.has_perm(MAY_VERIFY)


def page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """A GET shows, a POST begins. Raises PermissionDenied: it tells of all customers' chains."""
    if not may_verify(request):
        raise PermissionDenied
    if request.method == "POST":
        if not verification.start(context_of_operator(request)):
            messages.warning(request, _("A verification is under way already."))
        return HttpResponseRedirect(reverse(PAGE))
    facts = {**site.each_context(request), "title": _("Verify the audit log"), "opts": Event._meta}
    facts["run"] = verification.newest()
    response = TemplateResponse(request, "operators/events/verification.html", facts)
    response["Cache-Control"] = "no-store"
    return response
