"""Scopes: what a client may ask to learn about a user (OpenID Connect Core section 5.4)."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from apps.customers.state import CustomerState
from apps.tokens.algorithms import SHARED_SECRETS

OPENID, PROFILE, EMAIL, OFFLINE_ACCESS = "openid", "profile", "email", "offline_access"
ALL = (OPENID, PROFILE, EMAIL, OFFLINE_ACCESS)


def every_scope() -> list[str]:
    """What a new client may ask for unless something else is said."""
    return list(ALL)


def validate_scopes(scopes: object) -> None:
    """Raises ValidationError unless this is a list of ours, each once."""
    if (
        not isinstance(scopes, list)
        or len(set(map(str, scopes))) != len(scopes)
        or not set(map(str, scopes)) <= set(ALL)
    ):
        raise ValidationError(_("Give a list of some of: %(all)s."), params={"all": ", ".join(ALL)})


def supported(customer: CustomerState) -> tuple[str, ...]:
    """Without `openid` where the customer signs with a shared secret: a client could not verify an id_token, only forge one."""
    return tuple(scope for scope in ALL if scope != OPENID or customer.algorithm not in SHARED_SECRETS)


def known(asked: Iterable[str]) -> tuple[str, ...]:
    """Those that we know, each once, in our order. Unknown ones are ignored (OpenID Connect Core section 3.1.2.1)."""
    wanted = set(asked)
    return tuple(scope for scope in ALL if scope in wanted)
