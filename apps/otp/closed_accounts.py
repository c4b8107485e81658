"""Which accounts no code is sent to, and none accepted for; and which rule says so."""

from apps.customers import limits
from apps.customers.state import CustomerState
from apps.otp import attempt_limits
from apps.otp.purposes import LOGIN
from apps.users.models import User, UserStatus

UNKNOWN_USER, USER_INACTIVE = "unknown_user", "user_inactive"


def refused_by(customer: CustomerState, user: User) -> str | None:
    """The rule that closes this account to codes, or None."""
    if user.status == UserStatus.DEACTIVATED:
        return USER_INACTIVE
    return limits.WRONG_CODES_IN_A_ROW if attempt_limits.is_closed_to_codes(customer, user) else None


def withheld_by(customer: CustomerState, user: User | None, purpose: str) -> str | None:
    """The rule by which no code of this purpose is sent to the user of an address, or to an address of nobody; or None."""
    if user is None:
        return None if purpose == LOGIN and customer.creates_users_on_sign_in else UNKNOWN_USER
    return refused_by(customer, user)
