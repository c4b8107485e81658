"""How a customer does: what of its quotas is used, what is wrong, when something last happened, and what to do next."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.api_keys.models import ApiKey
from apps.audit import actions
from apps.audit.models import Event
from apps.customers.models import CustomerStatus, SigningSecret
from apps.figures import reading
from apps.figures.models import FigureKind
from apps.figures.reading import Figures, Span
from apps.mail.models import MailQuotaUse, Message, SmsQuotaUse
from apps.operators.lists import counts
from apps.operators.lists.counts import Count
from apps.operators.pages.audit import event_names
from apps.operators.pages.customers import adding
from apps.operators.pages.customers.visit import Visit, list_of
from apps.tokens.models import Session
from apps.users.models import User

OK, WARNING, DANGER = "success", "warning", "danger"
NEAR = 0.8  # of a quota
UNUSED = timedelta(days=90)
OLD_SECRET = timedelta(days=365)
MOST_KEYS = 200


@dataclass(frozen=True)
class QuotaBar:
    """`width`: in percent of the bar."""

    label: str
    used: int
    allowed: int

    @property
    def width(self) -> float:
        return min(100.0, 100 * self.used / max(self.allowed, 1))

    @property
    def state(self) -> str:
        share = self.used / max(self.allowed, 1)
        return DANGER if share >= 1 else WARNING if share >= NEAR else OK


@dataclass(frozen=True)
class Finding:
    """One line of the customer's health. `label`: how it stands, in a word."""

    text: str
    state: str = OK
    url: str = ""
    at: datetime | None = None

    @property
    def label(self) -> str:
        return {OK: _("fine"), WARNING: _("look"), DANGER: _("act")}[self.state]


@dataclass(frozen=True)
class NextStep:
    text: str | Promise
    url: str
    is_done: bool


def facts(visit: Visit) -> dict[str, Any]:
    now = timezone.now()
    figures = reading.read(Span.of_days(1, now=now), [visit.customer.id])
    keys = _keys(visit)
    users = counts.count(visit.rows(User)) if visit.may_see([User]) else None
    return {
        "suspended": _suspended(visit),
        "quotas": list(_quotas(visit, now)),
        "health": list(_health(visit, figures, keys, now)),
        "tiles": list(_tiles(visit, users, figures, now)),
        "steps": _steps(visit, keys, users),
    }


def _keys(visit: Visit) -> list[ApiKey] | None:
    """Those that work. None: this operator may not see keys."""
    if not visit.may_see([ApiKey]):
        return None
    return list(visit.rows(ApiKey).working(timezone.now())[:MOST_KEYS])


def _suspended(visit: Visit) -> Event | None:
    """The event of the suspension that counts now. None if it is not suspended, or the operator may not see events."""
    if visit.customer.status != CustomerStatus.SUSPENDED or not visit.may_see([Event]):
        return None
    found: Event | None = visit.rows(Event).filter(action=actions.CUSTOMER_SUSPENDED).order_by("-at").first()
    if found is not None:
        found.by = event_names.kind_of_actor(found.actor)  # type: ignore[attr-defined]
    return found


def _quotas(visit: Visit, now: datetime) -> Iterator[QuotaBar]:
    customer, today = visit.customer, now.date()
    kinds: tuple[Any, ...] = (
        (MailQuotaUse, _("Code mails"), customer.daily_code_quota, customer.monthly_code_quota),
        (SmsQuotaUse, _("SMS segments"), customer.daily_sms_quota, customer.monthly_sms_quota),
    )
    for model, label, daily, monthly in kinds:
        use = model.objects.of(customer.id).first()
        this_day = use.sent_today if use and use.day == today else 0
        this_month = use.sent_this_month if use and use.month == today.replace(day=1) else 0
        yield QuotaBar(_("%s today") % label, this_day, daily)
        yield QuotaBar(_("%s this month") % label, this_month, monthly)


def _health(visit: Visit, figures: Figures, keys: list[ApiKey] | None, now: datetime) -> Iterator[Finding]:
    if visit.may_see([Message]):
        yield _mail(visit, figures)
    if keys is not None:
        yield _key_use(visit, keys, now)
    yield from _secrets(visit, now)
    if visit.may_see([Event]):
        yield _last_activity(visit)


def _mail(visit: Visit, figures: Figures) -> Finding:
    failed = figures.total(FigureKind.MAIL_FAILED)
    if not failed:
        return Finding(_("No mail has failed today."))
    text = ngettext("%d mail has failed today.", "%d mails have failed today.", failed) % failed
    url = list_of("mail_message", customer_id__exact=visit.customer.id, state__exact="failed")
    return Finding(text, DANGER, url)


def _key_use(visit: Visit, keys: list[ApiKey], now: datetime) -> Finding:
    idle = [key for key in keys if (key.last_used_at or key.created_at) < now - UNUSED]
    never = [key for key in keys if key.last_used_at is None]
    url = visit.address("keys")
    if not keys:
        return Finding(_("No API key works."), WARNING, url)
    if idle:
        text = ngettext("%d API key was not used for 90 days.", "%d API keys were not used for 90 days.", len(idle))
        return Finding(text % len(idle), WARNING, url)
    if never:
        text = ngettext("%d API key was never used.", "%d API keys were never used.", len(never))
        return Finding(text % len(never), WARNING, url)
    newest = max(key.last_used_at for key in keys if key.last_used_at)
    text = ngettext("%d API key works, last used", "%d API keys work, last used", len(keys)) % len(keys)
    return Finding(text, OK, url, newest)


def _secrets(visit: Visit, now: datetime) -> Iterator[Finding]:
    verifying = Q(retires_at=None) | Q(retires_at__gt=now)
    secrets = list(SigningSecret.objects.of(visit.customer.id).filter(verifying))
    url = visit.address("secrets")
    for secret in secrets:
        if secret.retires_at is None:
            state = WARNING if secret.created_at < now - OLD_SECRET else OK
            yield Finding(_("The secret is %s old.") % timesince(secret.created_at), state, url)
    old = sum(secret.retires_at is not None for secret in secrets)
    if old:
        text = ngettext("%d old secret is still accepted.", "%d old secrets are still accepted.", old)
        yield Finding(text % old, WARNING, url)


def _last_activity(visit: Visit) -> Finding:
    newest = visit.rows(Event).order_by("-at", "-id").first()
    if newest is None:
        return Finding(_("Nothing has happened yet."))
    return Finding(_("Something last happened"), OK, visit.address("audit"), newest.at)


def _tiles(visit: Visit, users: Count | None, figures: Figures, now: datetime) -> Iterator[dict[str, Any]]:
    """Numbers, each with the rows that it counts."""
    if users is not None:
        url = list_of("users_user", customer__id__exact=visit.customer.id)
        yield {"label": _("Users"), "count": users, "url": url}
    if visit.may_see([Session]):
        url = list_of("tokens_session", customer__id__exact=visit.customer.id, alive_at="now")
        yield {"label": _("Living sessions"), "count": counts.count(visit.rows(Session).alive(now)), "url": url}
    if visit.may_see([Event]):
        sign_ins = Count(figures.total(FigureKind.SIGN_IN))
        url = list_of("audit_event", customer_id=visit.customer.id, action__exact=actions.SIGN_IN)
        yield {"label": _("Sign-ins today"), "count": sign_ins, "url": url}
    if visit.may_see([Message]):
        url = list_of("mail_message", customer_id__exact=visit.customer.id)
        yield {"label": _("Codes sent today"), "count": Count(figures.total(FigureKind.CODE_SENT)), "url": url}


def _steps(visit: Visit, keys: list[ApiKey] | None, users: Count | None) -> list[NextStep]:
    """What is left to do until users can sign in. Empty once somebody has."""
    if users is None or users.number or keys is None:
        return []
    customer = visit.customer
    has_look = bool(customer.sender_name or customer.logo_url or customer.colour)
    return [
        NextStep(_("Make an API key, and give it to your app"), adding.address(customer), bool(keys)),
        NextStep(
            _("Use it: ask for a code, and sign in with it"),
            adding.address(customer),
            any(k.last_used_at for k in keys),
        ),
        NextStep(_("Give mails and pages your name, logo and colour"), visit.address("branding"), has_look),
        NextStep(_("Look through the sign-in policy"), visit.address("policy"), is_done=False),
    ]
