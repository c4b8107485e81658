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
    """What must still be given: one of `methods`, or, where there is none, one of `enrol`, enrolled on the way in."""

    methods: tuple[str, ...]
    enrol: tuple[str, ...] = ()


@dataclass(frozen=True)
class Given:
    """What a sign-in has shown so far. `passed`: second factors, a passkey that was the first among them.

    `mailbox`: the first factor was a code by email. `may_use_email`: a code by email may be the second.
    """

    passed: tuple[str, ...]
    mailbox: bool
    may_use_email: bool

    @property
    def may_enrol(self) -> bool:
        """Whoever merely knows the password must not make a factor of their own the account's."""
        return self.mailbox or bool(self.passed) or not self.may_use_email


def missing(*, policy: str, enrolled: Enrolled, given: Given) -> Missing | None:
    """None when nothing is."""
    if policy == SecondFactorPolicy.BOTH:
        return _missing_of_both(enrolled, given)
    if given.passed or (policy == SecondFactorPolicy.OPTIONAL and not enrolled.has_any):
        return None
    if enrolled.has_any:
        return Missing((*enrolled.methods, *((EMAIL,) if given.may_use_email else ())))
    return Missing((), enrol=ENROLLABLE) if given.may_enrol else Missing((EMAIL,))


def to_enrol(*, policy: str, enrolled: Enrolled) -> tuple[str, ...]:
    """What a user who was let in by a code to the mailbox should enrol next."""
    return ENROLLABLE if policy == SecondFactorPolicy.REQUIRED and not enrolled.has_any else ()


def _missing_of_both(enrolled: Enrolled, given: Given) -> Missing | None:
    """What is enrolled is given first. A recovery code stands for the one of the two that has been lost; not for one that never was."""
    left = tuple(method for method in BOTH if method not in given.passed)
    if len(left) <= given.passed.count(RECOVERY_CODE):
        return None
    there = tuple(method for method in left if method in enrolled.methods)
    if there:
        return Missing((*there, *((RECOVERY_CODE,) if RECOVERY_CODE in enrolled.methods else ())))
    return Missing((), enrol=left) if given.may_enrol else Missing((EMAIL,))
