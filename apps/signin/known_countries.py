"""Countries that a user has signed in from. Another one is a security event, unless it is the first of all."""

from apps.audit import actions
from apps.audit.models import Severity
from apps.core import countries
from apps.core.context import RequestContext
from apps.signin.models import KnownCountry
from apps.users import user_events
from apps.users.models import User


def is_new(user: User, context: RequestContext) -> bool:
    """Whether the user has not signed in from the caller's country. No statement without a database of countries, else one."""
    country = countries.of(context.ip)
    return bool(country) and country not in _known(user)


def note(user: User, *, context: RequestContext) -> None:
    """Remember the caller's country, and record a new one. No statement without a database of countries; one if it is known."""
    country = countries.of(context.ip)
    known = _known(user) if country else set()
    if not country or country in known:
        return
    facts = {"first_seen_at": context.now}
    _, is_first = KnownCountry.objects.get_or_create(user=user, country=country, defaults=facts)
    if known and is_first:
        user_events.record_own(actions.NEW_COUNTRY, user, context, severity=Severity.MEDIUM, country=country)


def _known(user: User) -> set[str]:
    return set(KnownCountry.objects.filter(user=user).values_list("country", flat=True))
