"""A sign-in whose first factor was right: what has been given so far, and what is still missing."""

from dataclasses import dataclass, field, replace
from typing import Any

from apps.core.context import RequestContext
from apps.customers.state import CustomerState
from apps.factors.enrolled import Enrolled
from apps.otp import attempt_limits
from apps.signin import requirements
from apps.signin.models import FirstFactor
from apps.signin.requirements import GivenFactors, MissingFactors
from apps.users import user_events
from apps.users.models import User


@dataclass(frozen=True)
class PendingSignIn:
    """A sign-in whose first factor was right. `passed`: the second factors that were given since.

    `device_tokens`: what the browser has shown of devices that are remembered. `remember`: the user wants this one to be.
    """

    customer: CustomerState
    user: User
    first_factor: FirstFactor
    delivery: str
    context: RequestContext
    may_use_email: bool = False
    is_new: bool = False
    passed: tuple[str, ...] = ()
    device_tokens: tuple[str, ...] = field(default=(), repr=False)
    remember: bool = False

    def having_passed(self, method: str) -> "PendingSignIn":
        return replace(self, passed=(*self.passed, method))


def missing(pending: PendingSignIn, found: Enrolled) -> MissingFactors | None:
    """What must still be given. None if nothing is."""
    given = GivenFactors(
        passed=pending.passed,
        mailbox=pending.first_factor == FirstFactor.CODE,
        may_use_email=pending.may_use_email and not (found.has_any and _set_by_mail(pending.user)),
        codes_closed=attempt_limits.is_closed_to_second_factors(pending.customer, pending.user),
    )
    return requirements.missing(policy=pending.customer.second_factor, enrolled=found, given=given)


def _set_by_mail(user: User) -> bool:
    """Whether the password was set by a link in a mail: then a code by mail proves nothing more."""
    password = getattr(user, "password", None)
    return password is not None and password.set_by_mail


def record(action: str, pending: PendingSignIn, **details: Any) -> None:
    """Record what the user did, with the method."""
    user_events.record_own(action, pending.user, pending.context, **details)
