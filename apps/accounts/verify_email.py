"""Proving an address by the code that was sent to it (contract 4, verify-email).

The code proves that somebody reads the mailbox. It also confirms a registration, and so sets a password, but only if the
same person is sure to have made that registration: anybody can register anybody's address.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.accounts.models import Registration
from apps.core import sealed
from apps.core.context import RequestContext
from apps.customers.state import CustomerState
from apps.mail import outbox
from apps.mail.outbox import Destination
from apps.otp import closed_accounts, code_attempts
from apps.otp.code_attempts import CodeNotAccepted, RightCode
from apps.otp.purposes import VERIFY_EMAIL
from apps.signin import first_proof, passwords
from apps.signin.models import Password
from apps.users import directory, emails
from apps.users.emails import Address
from apps.users.models import User


@dataclass(frozen=True)
class AddressProof:
    """The code that was sent to an address. `password`: the one that was registered with it, if the client knows it."""

    customer: CustomerState
    address: Address
    code: str = field(repr=False)
    context: RequestContext
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class VerifiedAddress:
    """The user whose address is proven. `password_set`: whether the registered password is the user's from now on."""

    user: User
    password_set: bool


def verify(proof: AddressProof) -> VerifiedAddress:
    """Mark the address as proven, and give the user the password, name and number that were registered with this code.

    Raises InvalidOtp (whatever is wrong with the code), RateLimited or ValkeyUnavailable.
    """
    attempt = code_attempts.of_address(
        customer=proof.customer,
        address=proof.address,
        purpose=VERIFY_EMAIL,
        code=proof.code,
        context=proof.context,
    )
    return code_attempts.redeem(attempt, lambda right: _accept(proof, right))


def _accept(proof: AddressProof, right: RightCode) -> VerifiedAddress | None:
    """The user whose address the code proves. None if there is no such user, or the account is closed."""
    with transaction.atomic():
        user = _lock_user(proof)
        sent = outbox.destination_of(right.message_id)  # read under the lock: erasing the user takes it away
        if sent is None or user is None:
            return None
        if rule := closed_accounts.refused_by(proof.customer, user):
            raise CodeNotAccepted(rule)
        if sent.credentials_version != user.credentials_version:
            return None
        right.use()
        registration = _registration_of(right.message_id, sent, user, proof)
        if user.email_verified_at is not None:  # a registration that is still open is worth nothing after the proof
            own = registration is None and emails.same_mailbox(user.email, sent.recipient)
            return VerifiedAddress(user, password_set=False) if own else None
        user.email = sent.recipient
        _become(user, registration, proof)
        return VerifiedAddress(user, password_set=registration is not None)


def _lock_user(proof: AddressProof) -> User | None:
    """The user of this address, locked. None if it was erased, or has another address, since it was looked up."""
    found = directory.find(proof.customer.id, proof.address.identity)
    user = directory.lock(found.id) if found else None
    return user if user and user.email_identity == proof.address.identity else None


def _registration_of(message_id: UUID, sent: Destination, user: User, proof: AddressProof) -> Registration | None:
    """The registration that the code confirms. None if it may be a stranger's.

    The mailbox may hold two codes: one that its owner asked for, and one from a stranger who registered the same address from
    another network. The owner may enter the wrong one. Then the password decides: the stranger's is another.
    """
    registrations = Registration.objects.filter(user=user, credentials_version=user.credentials_version)
    opened = list(registrations.filter(used_at=None, expires_at__gt=proof.context.now))
    found = _carried_by(message_id, sent, opened, user)
    if found is None or len({row.network for row in opened}) == 1:
        return found
    return found if proof.password and passwords.matches(proof.password, found.encoded) else None


def _carried_by(message_id: UUID, sent: Destination, opened: list[Registration], user: User) -> Registration | None:
    """The registration whose mail carried the code. A code that was asked for again belongs to no registration.

    Such a code confirms the registration that made this user, if no other is open. It confirms none if there are several,
    if the user was there before (imported), or if it was sent to an earlier user of this address (erased since): then the
    registration may be a stranger's.
    """
    own = [row for row in opened if row.message_id == message_id]
    if own:
        return own[0]
    asked_again = sent.user_id == user.id and not Registration.objects.filter(message_id=message_id).exists()
    made_the_user = len(opened) == 1 and opened[0].created_at == user.created_at
    return opened[0] if asked_again and made_the_user else None


def _become(user: User, registration: Registration | None, proof: AddressProof) -> None:
    """Give the user what was registered. What was set before the proof goes, unless it is the very same password."""
    present = Password.objects.filter(user=user).values_list("encoded", flat=True).first()
    if registration is not None and present == registration.encoded:
        first_proof.note(user, customer=proof.customer, context=proof.context)
    else:
        first_proof.by_mail(user, customer=proof.customer, context=proof.context)
    if registration is not None:
        _take_over(user, registration, proof.context.now)
    user.save(update_fields=["email", "name", "phone"])


def _take_over(user: User, registration: Registration, now: datetime) -> None:
    """Password, name and phone number of the registration are the user's from now on."""
    registration.used_at = now
    registration.save(update_fields=["used_at"])
    passwords.put(user, registration.encoded, by_mail=False, now=now)
    user.name = registration.name or user.name
    if registration.phone:
        sealed.write(user, "phone", sealed.read(registration, "phone"))
