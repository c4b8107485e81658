"""A customer's API keys: when each was last used, and a new one, which the next page shows once."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse

from apps.api_keys import lifecycle
from apps.api_keys.models import ApiKey
from apps.operators.context import context_of_operator
from apps.operators.new_secrets import shown_once
from apps.operators.pages.api_key import shown_new
from apps.operators.pages.customers.visit import Visit, list_of
from apps.operators.questions import address_of

MOST = 25
OVER = ("revoked", "expired")
ASKED = ("name", "environment", "scopes", "expires_at")


def facts(visit: Visit) -> dict[str, Any]:
    page = visit.admin_of(ApiKey)
    newest = list(visit.rows(ApiKey).order_by("-id")[: MOST + 1])
    may_change = page.has_change_permission(visit.request) or visit.request.user.has_perm("api_keys.change_apikey")
    return {
        "keys": [_row(page, key, may_change=may_change) for key in newest[:MOST]],
        "everything": list_of("api_keys_apikey", customer__id__exact=visit.customer.id),
        "has_more": len(newest) > MOST,
        "new_key": _form(visit) if _may_add(visit) else None,
    }


def make(visit: Visit) -> HttpResponse:
    """The new key is shown by the page after this one: loading that again makes none."""
    if not _may_add(visit):
        raise PermissionDenied
    with transaction.atomic():
        form = _form(visit, visit.request.POST)
        if form.is_valid():
            given = {name: form.cleaned_data[name] for name in ASKED}
            context = context_of_operator(visit.request)
            row, text = lifecycle.create(customer=visit.customer, context=context, **given)
            return shown_once.lead_to(visit.request, shown_new(row, text, back=visit.address("keys")))
    response: HttpResponse = visit.page.show_tab(visit, "keys", new_key=form)
    return response


def _may_add(visit: Visit) -> bool:
    return bool(visit.admin_of(ApiKey).has_add_permission(visit.request))


def _form(visit: Visit, data: Any = None) -> Any:
    """The form of the page that adds keys, without the customer: it adds one however often it is sent."""
    page = visit.admin_of(ApiKey)
    return page.get_form(visit.request, None, fields=ASKED)(data)


def _row(page: Any, key: ApiKey, *, may_change: bool) -> dict[str, Any]:
    state, label = page.state(key)
    return {
        "key": key,
        "url": address_of(key),
        "begins_with": page.begins_with(key),
        "scopes": page.scope_list(key),
        "label": label,
        "state": page.state.label[state],
        "may_end": may_change and state not in OVER,
    }
