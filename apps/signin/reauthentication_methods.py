"""By which methods a user who is signed in may prove once more who they are (contract 3.10)."""

from apps.customers.state import CustomerState
from apps.factors import enrolled
from apps.factors.methods import PASSKEY, RECOVERY_CODE, SMS, TOTP
from apps.otp import attempt_limits
from apps.signin import passwords
from apps.signin.requirements import EMAIL, GUESSABLE
from apps.users.models import User

PASSWORD = "password"  # noqa: S105  (the name of a method)
METHODS = (PASSKEY, TOTP, SMS, RECOVERY_CODE, PASSWORD, EMAIL)
SENT = (EMAIL, SMS, PASSKEY)  # what has to be asked for first


def methods_for(user: User, customer: CustomerState) -> tuple[str, ...]:
    """The methods that the user may choose from, in the order in which to offer them. If empty, only another sign-in will do."""
    found = enrolled.of(user.id)
    if found.has_any:
        offered: tuple[str, ...] = found.methods
    elif passwords.exists(user.id):
        offered = (PASSWORD,)
    else:
        offered = (EMAIL,)
    is_closed = attempt_limits.is_closed_to_second_factors(customer, user)
    return tuple(method for method in offered if not (is_closed and method in GUESSABLE))
