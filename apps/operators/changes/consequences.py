"""What a grave change will touch, in numbers: read before it is done, for the question that comes first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.api_keys.models import ApiKey
from apps.audit.value_texts import duration
from apps.core import ciphers
from apps.customers import keyring
from apps.customers.models import Customer
from apps.factors.models import Passkey
from apps.oauth.models import RegisteredClient
from apps.operators.questions import Affected, Question
from apps.tokens.models import Session
from apps.users.models import User, UserStatus

LIFETIMES = ("access_lifetime", "refresh_lifetime")


@dataclass(frozen=True)
class _Asked:
    customer: Customer
    changes: Mapping[str, Any]
    now: datetime


def of_everything(customer: Customer) -> list[Affected]:
    """All by which somebody gets in at this customer."""
    now = timezone.now()
    return [_sessions(customer, now), _keys(customer, now), _users(customer), _clients(customer)]


def of_user(user: User) -> list[Affected]:
    """What goes with a user's account."""
    living = Session.objects.of(user.customer_id).filter(user=user).alive(timezone.now())
    passkeys = Passkey.objects.of(user.customer_id).filter(user=user)
    return [
        affected(_("Living sessions"), living, "last_activity_at"),
        affected(_("Passkeys"), passkeys, "last_used_at"),
    ]


def of_client(client: RegisteredClient) -> list[Affected]:
    living = Session.objects.of(client.customer_id).filter(oauth_client_id=client.client_id).alive(timezone.now())
    users = living.aggregate(count=Count("user", distinct=True))["count"]
    return [affected(_("Living sessions"), living, "last_activity_at"), Affected(_("Users"), users)]


def of_policy(customer: Customer, changes: Mapping[str, Any]) -> Question | None:
    """The question before a policy is changed. None if nothing of it is grave. `customer`: as it is now."""
    asked = _Asked(customer, changes, timezone.now())
    parts = [part(asked) for part in (_algorithm, _passkey_domain, _lifetimes)]
    found = [part for part in parts if part]
    if not found:
        return None
    return Question(
        _("Change the policy of %s?") % customer.name,
        [line for lines, _numbers in found for line in lines],
        button=_("Change it"),
        numbers=list(dict.fromkeys(number for _lines, numbers in found for number in numbers)),
        mark=_mark(asked),
    )


def _mark(asked: _Asked) -> str:
    """What a confirmation is for: these values of this customer, in the place of those."""
    told = [(name, getattr(asked.customer, name), value) for name, value in sorted(asked.changes.items())]
    return ciphers.digest(repr((asked.customer.pk, told)).encode()).hex()


_Part = tuple[list[str], list[Affected]]


def _algorithm(asked: _Asked) -> _Part | None:
    before, after = asked.customer.algorithm, asked.changes.get("algorithm", asked.customer.algorithm)
    if before == after:
        return None
    until = keyring.last_expiry(asked.customer, now=asked.now)
    lines = [
        _("Tokens are signed with %(after)s in the place of %(before)s from now on, by a new secret.")
        % {"after": after, "before": before},
        _("Servers that check tokens by themselves must know it. Tokens of before count until %s.")
        % f"{until:%Y-%m-%d %H:%M} UTC",
    ]
    return lines, [_sessions(asked.customer, asked.now), _keys(asked.customer, asked.now), _clients(asked.customer)]


def _passkey_domain(asked: _Asked) -> _Part | None:
    before = asked.customer.passkey_domain
    after = asked.changes.get("passkey_domain", before)
    if before == after:
        return None
    words = {"before": before or _("the site's domain"), "after": after or _("the site's domain")}
    lines = [
        _("Passkeys are bound to %(after)s in the place of %(before)s.") % words,
        _("All passkeys of before are useless. Their users have to sign in in another way, and to enrol new ones."),
    ]
    passkeys = Passkey.objects.of(asked.customer.id)
    users = passkeys.aggregate(count=Count("user", distinct=True))["count"]
    return lines, [affected(_("Passkeys"), passkeys, "last_used_at"), Affected(_("Users with a passkey"), users)]


def _lifetimes(asked: _Asked) -> _Part | None:
    shorter = {name: asked.changes[name] for name in LIFETIMES if name in asked.changes}
    shorter = {name: value for name, value in shorter.items() if value < getattr(asked.customer, name)}
    if not shorter:
        return None
    titles = {"access_lifetime": _("Access tokens"), "refresh_lifetime": _("Sessions that are not used")}
    lines = [
        _("%(what)s live for %(after)s in the place of %(before)s.")
        % {"what": titles[name], "after": duration(value), "before": duration(getattr(asked.customer, name))}
        for name, value in shorter.items()
    ]
    lines.append(
        _("Tokens of before live as long as they say. Each session gets the shorter time with its next refresh.")
    )
    return lines, [_sessions(asked.customer, asked.now), *_idle(asked, shorter)]


def _idle(asked: _Asked, shorter: Mapping[str, int]) -> list[Affected]:
    if "refresh_lifetime" not in shorter:
        return []
    since = asked.now - timedelta(seconds=shorter["refresh_lifetime"])
    idle = Session.objects.of(asked.customer.id).alive(asked.now).filter(last_activity_at__lt=since)
    label = _("of them not used for %s") % duration(shorter["refresh_lifetime"])
    return [affected(label, idle, "last_activity_at")]


def _sessions(customer: Customer, now: datetime) -> Affected:
    return affected(_("Living sessions"), Session.objects.of(customer.id).alive(now), "last_activity_at")


def _keys(customer: Customer, now: datetime) -> Affected:
    return affected(_("API keys that work"), ApiKey.objects.of(customer.id).working(now), "last_used_at")


def _users(customer: Customer) -> Affected:
    active = User.objects.of(customer.id).filter(status=UserStatus.ACTIVE)
    return affected(_("Active users"), active, "last_sign_in_at")


def _clients(customer: Customer) -> Affected:
    return Affected(_("OAuth clients"), RegisteredClient.objects.of(customer.id).filter(disabled_at=None).count())


def affected(label: str, rows: "QuerySet[Any]", used: str) -> Affected:
    """One query for both numbers."""
    found = rows.order_by().aggregate(count=Count("pk"), last=Max(used))
    return Affected(label, found["count"], found["last"])
