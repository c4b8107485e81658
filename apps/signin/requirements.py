"""What second factors a sign-in still needs, by the customer's policy and by what the user has enrolled (contract 4)."""

from dataclasses import dataclass, replace

from apps.customers.policy import SecondFactorPolicy
from apps.factors.enrolled import Enrolled
from apps.factors.methods import BOTH, ENROLLABLE, PASSKEY, RECOVERY_CODE, SMS, TOTP

EMAIL = "email"  # nothing to enrol: everybody has a mailbox
METHODS = (PASSKEY, TOTP, SMS, RECOVERY_CODE, EMAIL)  # as they are offered: an email code ranks last
GUESSABLE = (TOTP, SMS, EMAIL)


@dataclass(frozen=True)
class MissingFactors:
    """What must still be given: one of `methods`, or, where there is none, one of `enrol`, enrolled on the way in."""

    methods: tuple[str, ...]
    enrol: tuple[str, ...] = ()

    def but_codes(self) -> "MissingFactors":
        """The same without the codes that can be guessed. Where that leaves nothing, the password has to be reset first."""
        return replace(self, methods=tuple(method for method in self.methods if method not in GUESSABLE))


@dataclass(frozen=True)
class GivenFactors:
    """What a sign-in has shown so far. `passed`: second factors, a passkey that was the first among them.

    `mailbox`: the first factor was a code by email. `may_use_email`: a code by email may be the second.
    `codes_closed`: so many wrong ones came after a right first factor that no more are taken.
    """

    passed: tuple[str, ...]
    mailbox: bool
    may_use_email: bool
    codes_closed: bool = False

    @property
    def may_enrol(self) -> bool:
        """Whoever merely knows the password must not make a factor of their own the account's."""
        return self.mailbox or bool(self.passed) or not self.may_use_email


def missing(*, policy: str, enrolled: Enrolled, given: GivenFactors) -> MissingFactors | None:
    """None when nothing is."""
    is_both = policy == SecondFactorPolicy.BOTH
    found = _missing_of_both(enrolled, given) if is_both else _missing_of_one(policy, enrolled, given)
    return found.but_codes() if found and given.codes_closed else found


def to_enrol(*, policy: str, enrolled: Enrolled) -> tuple[str, ...]:
    """What a user who was let in by a code to the mailbox should enrol next."""
    return ENROLLABLE if policy == SecondFactorPolicy.REQUIRED and not enrolled.has_usable else ()


def _missing_of_one(policy: str, enrolled: Enrolled, given: GivenFactors) -> MissingFactors | None:
    if given.passed or (policy == SecondFactorPolicy.OPTIONAL and not enrolled.has_any):
        return None
    if enrolled.has_any:
        return MissingFactors((*enrolled.methods, *((EMAIL,) if given.may_use_email else ())))
    return MissingFactors((), enrol=ENROLLABLE) if given.may_enrol else MissingFactors((EMAIL,))


def _missing_of_both(enrolled: Enrolled, given: GivenFactors) -> MissingFactors | None:
    """What is enrolled is given first, and nobody enrols beside factors of which none was given."""
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
    """Without the one that has been lost, for which a recovery code stands. It stands for none that never was."""
    left = tuple(method for method in BOTH if method not in given.passed)
    held = tuple(method for method in left if method in enrolled.held)
    if RECOVERY_CODE in given.passed and len(held) == 1:
        return tuple(method for method in left if method not in held)
    return left


def _has_shown_own(enrolled: Enrolled, given: GivenFactors) -> bool:
    """Whether one of the account's own factors was given: a code by email only where no other can be."""
    own = {*enrolled.methods, PASSKEY, RECOVERY_CODE, *(() if enrolled.has_usable else (EMAIL,))}
    return not own.isdisjoint(given.passed)
