"""Whether a user could sign in now, and why not: answered by the rules that decide at sign-in (`accounts.inquiry.outlook`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from apps.accounts.inquiry import outlook, subject
from apps.accounts.inquiry.outlook import Check, Outlook
from apps.accounts.inquiry.subject import Circumstances
from apps.audit import steps
from apps.factors import enrolled
from apps.factors.methods import PASSKEY
from apps.operators import refusal_texts
from apps.users import emails
from apps.users.models import User, UserStatus

ACCOUNT, CUSTOMER, LIVING, SECOND = "codes", "customer", "living_codes", "second_factor"  # subjects of checks


@dataclass(frozen=True)
class WayIn:
    """One way to sign in. `why`: what refuses it now; empty if nothing does. `frees_at`: when that ends by itself."""

    name: str
    why: str = ""
    frees_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return not self.why


@dataclass(frozen=True)
class UserVerdict:
    """`but`: what a sign-in would lack, of a user who can."""

    ways: list[WayIn]
    but: str

    @property
    def can(self) -> bool:
        return any(way.is_open for way in self.ways)

    @property
    def why_not(self) -> WayIn:
        """What stands in the way of codes, which is how most sign in."""
        return self.ways[0]


def of(user: User) -> UserVerdict:
    """Nothing is counted. What depends on a network or a key is not asked: nobody has said which."""
    foreseen = outlook.outlook(subject.of_address(user.customer, emails.parse(user.email)), Circumstances())
    waits = _check(foreseen, "account")
    but = refusal_texts.rule(waits.refused_by) if waits and waits.refused_by else ""
    return UserVerdict(list(_ways(user, foreseen)), but)


def _ways(user: User, foreseen: Outlook) -> Iterator[WayIn]:
    yield _way(_("By code"), _against_codes(foreseen) or _against_second_factors(foreseen))
    if getattr(user, "password", None) is not None:
        refusal = foreseen.first_refusal(steps.GIVE_PASSWORD) or _against_second_factors(foreseen)
        yield _way(_("By password"), refusal)
    if PASSKEY in enrolled.of(user.id).methods:
        yield _way(_("By passkey"), _against_passkeys(user, foreseen))


def _way(name: str, refusal: Check | None) -> WayIn:
    return WayIn(name, refusal_texts.rule(refusal.refused_by or ""), refusal.frees_at) if refusal else WayIn(name)


def _against_codes(foreseen: Outlook) -> Check | None:
    """Who has a living code need not ask for another."""
    living = _check(foreseen, LIVING)
    if living is None or not living.used:
        return foreseen.first_refusal(steps.ASK_FOR_CODE) or foreseen.first_refusal(steps.GIVE_CODE)
    account = _check(foreseen, ACCOUNT)
    return account if account and account.refuses else foreseen.first_refusal(steps.GIVE_CODE)


def _against_second_factors(foreseen: Outlook) -> Check | None:
    """Who has a second factor is asked for it after a code or a password."""
    second = _check(foreseen, SECOND)
    return second if second and second.used and second.refused_by else None


def _against_passkeys(user: User, foreseen: Outlook) -> Check | None:
    """They know no limits; the account and its customer have to be open (`signin.by_passkey`)."""
    account = _check(foreseen, ACCOUNT)
    if user.status == UserStatus.DEACTIVATED:
        return account
    customer = _check(foreseen, CUSTOMER)
    return customer if customer and customer.refuses else None


def _check(foreseen: Outlook, name: str) -> Check | None:
    return next((check for check in foreseen.checks if check.subject == name), None)
