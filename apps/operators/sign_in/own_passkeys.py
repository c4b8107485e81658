"""Operators add and remove their passkeys. Whoever has a factor already proves it first: a stolen session adds and removes none."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.audit import actions, events
from apps.core.errors import GatehouseError
from apps.core.requests import context_of
from apps.operators.context import context_of_operator, operator_of
from apps.operators.models import OperatorPasskey
from apps.operators.sign_in import notices, passkeys, recovery, step_up
from apps.operators.team.has_device import has_device
from apps.tokens import devices

ADD, REMOVE, PROVE = "add", "remove", "prove"


class OwnPasskeyForm(forms.Form):
    name = forms.CharField(max_length=passkeys.LONGEST_NAME, required=False)
    credential = forms.JSONField(widget=forms.HiddenInput)


def context(request: HttpRequest) -> dict[str, Any]:
    """What the page of the second factor says of passkeys."""
    operator = operator_of(request)
    is_proven = may_add(request)
    return {
        "passkeys": passkeys.of(operator),
        "is_proven": is_proven,
        "proof": None if is_proven else step_up.ProofForm(request, is_answered=False),
        "new_passkey": passkeys.creation_options(request, operator) if is_proven else "",
        "longest_name": passkeys.LONGEST_NAME,
    }


def may_add(request: HttpRequest) -> bool:
    """The first factor needs no more than the sign-in; every other a proof."""
    return not has_device(operator_of(request)) or step_up.is_fresh(request)


def ask_for_proof(request: HttpRequest) -> HttpResponse:
    messages.error(request, _("Prove first who you are."))
    return _back()


def act(request: HttpRequest, what: str) -> HttpResponse:
    """Prove, add or remove."""
    if what == PROVE:
        return _prove(request)
    if not may_add(request):
        return ask_for_proof(request)
    return _add(request) if what == ADD else _remove(request)


def _prove(request: HttpRequest) -> HttpResponse:
    form = step_up.due(request, is_answered=True)
    if form is not None and not form.is_valid():
        messages.error(request, " ".join(map(str, form.errors.get("proof", []))))
    return _back()


def _add(request: HttpRequest) -> HttpResponse:
    form, context, operator = OwnPasskeyForm(request.POST), context_of(request), operator_of(request)
    if not form.is_valid():
        messages.error(request, _("This did not work. Try again."))
        return _back()
    name = form.cleaned_data["name"].strip() or devices.name_of(context.user_agent)
    try:
        with transaction.atomic():
            row = passkeys.enrol(request, operator, form.cleaned_data["credential"], name=name, now=context.now)
            _record(request, "enrolled", row)
            notices.post(operator, notices.FACTOR_ADDED, context, factor=row.name)
            codes = recovery.codes_with_first_factor(operator)
    except GatehouseError as error:
        messages.error(request, str(error.text))
        return _back()
    messages.success(request, _("The passkey was added."))
    return recovery.lead_on(request, row, codes)


def _remove(request: HttpRequest) -> HttpResponse:
    named = [row for row in passkeys.of(operator_of(request)) if str(row.pk) == request.POST.get("passkey")]
    row = named[0] if named else None
    if row is None:
        messages.error(request, _("There is nothing here."))
        return _back()
    with transaction.atomic():
        _record(request, "removed", row)
        notices.post(operator_of(request), notices.FACTOR_REMOVED, context_of(request), factor=row.name)
        row.delete()
        recovery.remove_codes_without_factors(operator_of(request))
    messages.success(request, _("The passkey was removed."))
    return _back()


def _record(request: HttpRequest, what: str, row: OperatorPasskey) -> None:
    events.record(
        action=actions.OPERATOR_SECOND_FACTOR_CHANGED,
        details={"what": what, "passkey": row.name},
        context=context_of_operator(request),
    )


def _back() -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:second_factor"))
