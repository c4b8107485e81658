"""The versions of a customer's secrets, as fingerprints, and what each form of rotation will do."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.customers import keyring
from apps.customers.models import SigningSecret
from apps.operators.pages.customers.visit import Visit

MOST = 10


def facts(visit: Visit) -> dict[str, Any]:
    now = timezone.now()
    newest = list(SigningSecret.objects.of(visit.customer.id)[: MOST + 1])
    return {
        "secrets": [{"secret": each, **_state_of(each)} for each in newest[:MOST]],
        "has_more": len(newest) > MOST,
        "counts_until": keyring.last_expiry(visit.customer, now=now),
    }


def _state_of(secret: SigningSecret) -> dict[str, Any]:
    if secret.retires_at is None:
        return {"label": _("signs"), "state": "success"}
    if secret.retires_at > timezone.now():
        return {"label": _("still accepted"), "state": "warning"}
    return {"label": _("retired"), "state": "info"}
