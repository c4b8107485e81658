"""Which second factors a sign-in still needs, by the customer's policy and by what the user has enrolled (contract 4)."""

from dataclasses import dataclass, replace

from apps.customers.policy import SecondFactorPolicy
from apps.factors.enrolled import Enrolled
from apps.factors.methods import BOTH, ENROLLABLE, PASSKEY, RECOVERY_CODE, SMS, TOTP

EMAIL = "email"  # nothing to enrol: everybody has a mailbox
METHODS = (PASSKEY, TOTP, SMS, RECOVERY_CODE, EMAIL)  # as they are offered: an email code ranks last
GUESSABLE = (TOTP, SMS, EMAIL)


@dataclass(frozen=True)
class MissingFactors:
    """What must still be given: one of `methods`; if there are none, one of `enrol` must be enrolled on the way in."""

    methods: tuple[str, ...]
    enrol: tuple[str, ...] = ()

    def but_codes(self) -> "MissingFactors":
        """The same without codes that can be guessed. If nothing is left, the user has to reset the password first."""
        return replace(self, methods=tuple(method for method in self.methods if method not in GUESSABLE))


@dataclass(frozen=True)
class GivenFactors:
    """What was given at this sign-in so far. `passed`: the second factors; a passkey counts even if it was the first factor.

    `mailbox`: the first factor was a code by email. `may_use_email`: a code by email may be the second.
    `codes_closed`: there were so many wrong codes after a right first factor that no more are accepted.
    """

    passed: tuple[str, ...]
    mailbox: bool
    may_use_email: bool
    codes_closed: bool = False

    @property
    def may_enrol(self) -> bool:
        """Whether a factor may be enrolled now: somebody who merely knows the password must not add one of their own."""
        return self.mailbox or bool(self.passed) or not self.may_use_email


def missing(*, policy: str, enrolled: Enrolled, given: GivenFactors) -> MissingFactors | None:
    """What is still missing. None if nothing is."""
    is_both = policy == SecondFactorPolicy.BOTH
    found = _missing_of_both(enrolled, given) if is_both else _missing_of_one(policy, enrolled, given)
    return found.but_codes() if found and given.codes_closed else found


def to_enrol(*, policy: str, enrolled: Enrolled) -> tuple[str, ...]:
    """What a user who has signed in by a code alone should enrol next."""
    return ENROLLABLE if policy == SecondFactorPolicy.REQUIRED and not enrolled.has_usable else ()


def _missing_of_one(policy: str, enrolled: Enrolled, given: GivenFactors) -> MissingFactors | None:
    if given.passed or (policy == SecondFactorPolicy.OPTIONAL and not enrolled.has_any):
        return None
    if enrolled.has_any:
        return MissingFactors((*enrolled.methods, *((EMAIL,) if given.may_use_email else ())))
    return MissingFactors((), enrol=ENROLLABLE) if given.may_enrol else MissingFactors((EMAIL,))


def _missing_of_both(enrolled: Enrolled, given: GivenFactors) -> MissingFactors | None:
    """Enrolled factors are asked for first; a new one can be enrolled only after one of the account's own was given."""
    left = _left_of_both(enrolled, given)
    if not left:
        return None
    if there := tuple(method for method in left if method in enrolled.methods):
        is_spare_left = RECOVERY_CODE in enrolled.methods and RECOVERY_CODE not in given.passed
        return MissingFactors((*there, *((RECOVERY_CODE,) if is_spare_left else ())))
    if enrolled.has_any and not _has_shown_own(enrolled, given):
        is_mail_enough = given.may_use_email and not enrolled.has_usable
        return MissingFactors((*enrolled.methods, *((EMAIL,) if is_mail_enough else ())))
    return MissingFactors((), enrol=left) if given.may_enrol else MissingFactors((EMAIL,))


def _left_of_both(enrolled: Enrolled, given: GivenFactors) -> tuple[str, ...]:
    """Which of the two are still to be given. A recovery code stands for one that was lost, but not for one never enrolled."""
    left = tuple(method for method in BOTH if method not in given.passed)
    held = tuple(method for method in left if method in enrolled.held)
    if RECOVERY_CODE in given.passed and len(held) == 1:
        return tuple(method for method in left if method not in held)
    return left


def _has_shown_own(enrolled: Enrolled, given: GivenFactors) -> bool:
    """Whether one of the account's own factors was given; a code by email counts only if the account has no other."""
    own = {*enrolled.methods, PASSKEY, RECOVERY_CODE, *(() if enrolled.has_usable else (EMAIL,))}
    return not own.isdisjoint(given.passed)
