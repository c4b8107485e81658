"""A forgotten password: a link goes to the operator's mailbox, if there is one. Answer and work are the same if not."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.hashers import is_password_usable
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from unfold.widgets import UnfoldAdminEmailInputWidget

from apps.audit import actions
from apps.audit.models import Outcome, Severity
from apps.core.requests import context_of
from apps.customers import operator_mails
from apps.operators.models import LinkPurpose
from apps.operators.sign_in import links, sign_in_events, sign_in_limits
from apps.operators.sign_in.form import TOO_OFTEN
from apps.operators.sign_in.links import Recipient
from apps.operators.team import usernames

LONGEST_ADDRESS = 254
SENT = "sent"


class ForgottenPasswordForm(forms.Form):
    email = forms.EmailField(
        label=lazy("Email"),
        max_length=LONGEST_ADDRESS,
        widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "username", "autofocus": True}),
    )


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """`context` is the admin site's. Raises Http404 where operators have no passwords."""
    if not settings.OPERATOR_PASSWORD_SIGN_IN:
        raise Http404
    form = ForgottenPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if _ask(request, form.cleaned_data["email"]):
            return HttpResponseRedirect(f"{request.path}?{SENT}")
        form.add_error(None, TOO_OFTEN)
    facts = {**context, "form": form, "is_sent": SENT in request.GET, "title": _("Forgotten password")}
    return TemplateResponse(request, "operators/forgotten_password.html", facts)


def _ask(request: HttpRequest, address: str) -> bool:
    """Send the link, if there is an account. False when this network has asked too often."""
    if not sign_in_limits.may_ask_for_links(request):
        return False
    if sign_in_limits.may_be_sent_links(address):  # else the mailbox has enough of them, and the answer is the same
        with transaction.atomic():
            links.send(Recipient(_who_may(address), address), LinkPurpose.FORGOTTEN, context_of(request))
        sign_in_events.record(
            actions.OPERATOR_PASSWORD_RESET_REQUESTED, request, address, Outcome.SUCCESS, Severity.LOW
        )
    return True


def _who_may(address: str) -> User | None:
    """The operator of this address, who has a password to forget. An invitation that was withdrawn stays withdrawn."""
    operator = usernames.find_by_address(address)
    if operator is None or not (operator.is_active and operator.is_staff and is_password_usable(operator.password)):
        return None
    return operator if operator_mails.address_of(operator) else None
