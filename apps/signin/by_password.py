"""Signing in by password. Whatever is wrong costs one Argon2, as many statements, and gets one answer (contract 4, login)."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from apps.audit import refusals, steps
from apps.core import rate_limits
from apps.core.context import RequestContext
from apps.customers import state as customers
from apps.customers.state import CustomerState
from apps.otp import attempt_limits, closed_accounts
from apps.signin import completion, password_lock, passwords
from apps.signin.challenges import Challenged
from apps.signin.completion import SignedIn
from apps.signin.errors import InvalidCredentials
from apps.signin.models import FirstFactor, Password
from apps.signin.pending_sign_in import PendingSignIn
from apps.users import directory
from apps.users.emails import Address
from apps.users.models import User, UserStatus

WRONG_PASSWORD, NO_PASSWORD = "wrong_password", "no_password"


@dataclass(frozen=True)
class PasswordSignIn:
    """Somebody signs in by password. `client_customer`: the one that the request came to, whose limits count."""

    client_customer: CustomerState
    customer: CustomerState
    address: Address
    password: str = field(repr=False)
    delivery: str
    context: RequestContext
    device_tokens: tuple[str, ...] = field(default=(), repr=False)  # of browsers that are remembered


def sign_in(attempt: PasswordSignIn) -> SignedIn | Challenged:
    """Sign in by password. Raises InvalidCredentials, RateLimited, ValkeyUnavailable, and CustomerSuspended if all was right."""
    customer, identity = attempt.client_customer, attempt.address.identity
    with refusals.recorded(steps.GIVE_PASSWORD, attempt.context, customer_id=customer.id, address=identity):
        return _sign_in(attempt)


def _sign_in(attempt: PasswordSignIn) -> SignedIn | Challenged:
    hits = rate_limits.hit_in_turn(
        attempt_limits.of_network(attempt.client_customer, attempt.context),
        attempt_limits.rules(attempt.client_customer, attempt.address, attempt.context),
    )
    found = find(attempt.customer, attempt.address)
    user = check(found, attempt.password, now=attempt.context.now)
    if user is None:
        rule = refused_by(found, now=attempt.context.now) or WRONG_PASSWORD
        password_lock.count_wrong(attempt.customer, attempt.address, found, rule=rule, context=attempt.context)
        wrong = InvalidCredentials()
        wrong.is_recorded = True
        raise wrong  # after the commit: a counted failure is never undone by its own request
    customers.require_active(attempt.customer)  # of an owner who came without a key
    with rate_limits.uncounted_if_it_fails(*hits), transaction.atomic():
        directory.lock(user.id)
        accept(user, attempt.password, now=attempt.context.now)
        return completion.proceed(
            PendingSignIn(
                customer=attempt.customer,
                user=user,
                first_factor=FirstFactor.PASSWORD,
                delivery=attempt.delivery,
                context=attempt.context,
                may_use_email=user.email_verified_at is not None,
                device_tokens=attempt.device_tokens,
            )
        )


def find(customer: CustomerState, address: Address) -> User | None:
    """The user of this address, with the password: one statement."""
    return User.objects.of(customer.id).filter(email_identity=address.identity).select_related("password").first()


def check(user: User | None, text: str, *, now: datetime, despite_lock: bool = False) -> User | None:
    """The user, if this password opens the account now. Costs one Argon2 even without a user or a password, or with a lock.

    `despite_lock`: for a user who is signed in already. Strangers can lock a password, and must not stand in the way then.
    """
    password: Password | None = getattr(user, "password", None)
    encoded, is_imported = (password.encoded, password.is_imported) if password else (None, False)
    right = passwords.matches(text, encoded, is_imported=is_imported)
    return user if right and refused_by(user, now=now, despite_lock=despite_lock) is None else None


def refused_by(user: User | None, *, now: datetime, despite_lock: bool = False) -> str | None:
    """The rule by which no password at all opens this account now, or None."""
    password: Password | None = getattr(user, "password", None)
    if user is None:
        return closed_accounts.UNKNOWN_USER
    if user.status == UserStatus.DEACTIVATED:
        return closed_accounts.USER_INACTIVE
    if password is None:
        return NO_PASSWORD
    return None if despite_lock or not password_lock.is_locked(password, now) else password_lock.LOCKED


def accept(user: User, text: str, *, now: datetime, despite_lock: bool = False) -> None:
    """The password was right: forget wrong ones, and replace a hash of another kind by ours.

    In the transaction that signs in, which has locked the user. Raises InvalidCredentials if the password was changed
    or locked since it was read: of guesses made at once, a right one after the fifth wrong one comes too late.
    """
    password = user.password
    encoded = password.encoded
    if password.is_imported or passwords.is_outdated(encoded):
        encoded = passwords.encode(passwords.normalise(text))
    # Compared by the time it was set: another sign-in may have replaced the hash by a better one of the same password.
    unchanged = Password.objects.filter(user=user, set_at=password.set_at)
    usable = unchanged if despite_lock else unchanged.filter(password_lock.is_open(now))
    ours = {"encoded": encoded, "is_imported": False}
    if not usable.update(**ours, wrong_in_a_row=0, locked_until=None, lock_told_at=None):
        raise InvalidCredentials
