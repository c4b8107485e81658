"""What second factors a sign-in still needs, by the customer's policy and by what the user has enrolled (contract 4)."""

from dataclasses import dataclass

from apps.customers.models import SecondFactorPolicy
from apps.factors.enrolled import Enrolled

PASSKEY, TOTP, SMS, RECOVERY_CODE, EMAIL = "passkey", "totp", "sms", "recovery_code", "email"
METHODS = (PASSKEY, TOTP, SMS, RECOVERY_CODE, EMAIL)  # as they are offered: an email code ranks last
ENROLLABLE = (PASSKEY, TOTP, SMS)
BOTH = (PASSKEY, SMS)


@dataclass(frozen=True)
class Missing:
    """What must still be given: one of `methods`, or one of `enrol`, enrolled on the way in."""

    methods: tuple[str, ...]
    enrol: tuple[str, ...] = ()


def missing(*, policy: str, enrolled: Enrolled, passed: tuple[str, ...], may_use_email: bool) -> Missing | None:
    """None when nothing is. `passed`: the second factors given so far, a passkey that was the first among them."""
    if policy == SecondFactorPolicy.BOTH:
        return _missing_of_both(enrolled, passed)
    if passed or (policy == SecondFactorPolicy.OPTIONAL and not enrolled.has_any):
        return None
    email = (EMAIL,) if may_use_email else ()
    return Missing((*enrolled.methods, *email), enrol=() if enrolled.has_any else ENROLLABLE)


def _missing_of_both(enrolled: Enrolled, passed: tuple[str, ...]) -> Missing | None:
    """A recovery code stands for the one of the two that has been lost; not for one that never was."""
    left = [method for method in BOTH if method not in passed]
    if len(left) <= passed.count(RECOVERY_CODE):
        return None
    there = tuple(method for method in left if method in enrolled.methods)
    recovery = (RECOVERY_CODE,) if there and RECOVERY_CODE in enrolled.methods else ()
    return Missing(
        (*there, *recovery),
        enrol=tuple(method for method in left if method not in enrolled.methods),
    )
