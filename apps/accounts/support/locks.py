"""An operator opens an account to tries again: codes, second factors and the password, and the limits on this address."""

from django.db import transaction

from apps.core import rate_limits
from apps.core.context import RequestContext
from apps.core.rate_limits import Rule
from apps.customers import limits
from apps.customers import state as customers
from apps.customers.state import CustomerState
from apps.otp import attempt_limits, code_requests
from apps.signin import password_lock
from apps.users import directory, emails, lifecycle
from apps.users.models import User


def clear(user: User, *, context: RequestContext) -> None:
    """Forget the wrong tries so far. What one network has done stays counted: it frees itself.

    Raises NotFound; ValkeyUnavailable if the limits could not be forgotten, though the locks are open.
    """
    with transaction.atomic():
        present = directory.hold(user.id)
        password_lock.open_again(present)
        lifecycle.clear_wrong_codes(present, context=context)
    rate_limits.forget(_of_address(customers.read(user.customer_id), present, context))


def _of_address(customer: CustomerState, user: User, context: RequestContext) -> list[Rule]:
    address = emails.parse(user.email)
    asked, *_others = code_requests.rules_for(customer, address, context)
    tried = attempt_limits.rules(customer, address, context)
    second = attempt_limits.second_factor_rules(customer, user.id, context)
    return [asked, *(rule for rule in (*tried, *second) if rule.limit.name != limits.TRIES_PER_EMAIL_AND_IP)]
