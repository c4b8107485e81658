"""Registering at a customer, and proving the address (contract 4, register and verify-email).

What somebody asks to be is kept apart from the user until the code sent to that address comes back: so a stranger who
registers somebody else's address sets no password on it, and a taken address gets the same answer for the same work.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.audit import actions, events
from apps.core import sealed
from apps.core.client_address import counted_as
from apps.core.ids import new_id
from apps.core.requests import Caller
from apps.customers import links
from apps.customers.standing import CustomerStanding
from apps.mail import ledger, outbox
from apps.mail.errors import QuotaExceeded
from apps.otp import codes, drafts, redeeming, requesting
from apps.otp.codes import NewCode, Place
from apps.otp.errors import InvalidOtp
from apps.otp.purposes import VERIFY_EMAIL
from apps.signin import first_proof, passwords
from apps.signin.errors import RegistrationClosed
from apps.signin.models import Password, Registration
from apps.users import emails, phones
from apps.users.emails import Address
from apps.users.models import BuiltInRole, User, UserStatus

CODE_MAIL, TAKEN_MAIL = "verify_email_code", "already_registered"
KEPT_FOR = timedelta(days=1)  # a code that came too late can be asked for again


@dataclass(frozen=True)
class Wish:
    """Who somebody wants to be, at which customer."""

    customer: CustomerStanding
    address: Address
    password: str = field(repr=False)
    name: str
    phone: str = field(repr=False)
    locale: str
    caller: Caller
    now: datetime


@dataclass(frozen=True)
class Registered:
    """What is said to everybody. Durations in seconds."""

    status: str
    expires_in: int
    resend_in: int


@dataclass(frozen=True)
class Proof:
    """The code that was sent to an address, and perhaps the password that was registered with it."""

    customer: CustomerStanding
    address: Address
    code: str = field(repr=False)
    caller: Caller
    now: datetime
    password: str = field(default="", repr=False)


def register(wish: Wish) -> Registered:
    """Register, or be told by mail that one has an account already; the answer is the same.

    Raises RegistrationClosed, ValidationFailed, ResendTooSoon, RateLimited, QuotaExceeded or ValkeyUnavailable.
    """
    customer = wish.customer
    if not customer.allows_registration:
        raise RegistrationClosed
    password = passwords.require_acceptable(wish.password, address=wish.address)
    phone = phones.parse(wish.phone) if wish.phone else ""
    new = NewCode(message_id=new_id(), code=codes.generate(customer))
    place = Place(customer.id, wish.address.identity, VERIFY_EMAIL)
    rules = requesting.rules_for(customer, wish.address, wish.caller)
    codes.issue(place, new, customer=customer, rules=rules)
    encoded = passwords.encode(password)
    try:
        with transaction.atomic():
            _write(wish, new, encoded, phone)
    except QuotaExceeded:
        codes.withdraw(place, new.code)
        raise
    return Registered(_first_status(customer), customer.code_lifetime, customer.code_resend_after)


def verify_email(proof: Proof) -> User:
    """The code has come back: the address is proven, and what was registered with that very code is so from now on.

    Raises InvalidOtp (whatever is wrong with the code), RateLimited or ValkeyUnavailable.
    """
    attempt = redeeming.of_address(
        customer=proof.customer,
        address=proof.address,
        purpose=VERIFY_EMAIL,
        code=proof.code,
        caller=proof.caller,
        now=proof.now,
    )
    redemption = redeeming.redeem(attempt)
    user = _accept(proof, redemption.message_id) if redemption.message_id else None
    if user is None:
        redeeming.reject(attempt, redemption)
        raise InvalidOtp  # after the commit: a counted failure is never undone by its own request
    return user


def keep(
    user: User, *, message_id: UUID, encoded: str, name: str = "", phone: str = "", caller: Caller, now: datetime
) -> Registration:
    """Keep what was asked for until the code of this message comes back. One statement."""
    row = Registration(
        id=new_id(),
        user=user,
        message_id=message_id,
        network=counted_as(caller.ip),
        encoded=encoded,
        name=name,
        created_at=now,
        expires_at=now + KEPT_FOR,
    )
    if phone:
        sealed.write(row, "phone", phone.encode())
    row.save(force_insert=True)
    return row


def _first_status(customer: CustomerStanding) -> UserStatus:
    demands = customer.demands_verified_email or customer.demands_approval
    return UserStatus.PENDING if demands else UserStatus.ACTIVE


def _write(wish: Wish, new: NewCode, encoded: str, phone: str) -> None:
    """The same statements whether or not the address is taken: user, registration, password, event, mail."""
    customer = wish.customer
    mine = User(
        id=new_id(),
        customer_id=customer.id,
        email=wish.address.typed,
        email_identity=wish.address.identity,
        role=BuiltInRole.COMPANY_USER,
        status=_first_status(customer),
        locale=wish.locale,
        created_at=wish.now,
    )
    User.objects.bulk_create([mine], ignore_conflicts=True)
    user = User.objects.of(customer.id).get(email_identity=wish.address.identity)
    facts = {"encoded": encoded, "name": wish.name, "phone": phone}
    keep(user, message_id=new.message_id, caller=wish.caller, now=wish.now, **facts)
    if not customer.demands_verified_email:
        _let_in_at_once(wish, mine, user, encoded, phone)
    _record(actions.USER_REGISTERED, user, wish.caller, wish.now)
    _post(wish, user, new)


def _let_in_at_once(wish: Wish, mine: User, user: User, encoded: str, phone: str) -> None:
    """Where no proven address is demanded a new user has its password now. A taken address keeps what it has.

    Two statements either way: for a taken address about a user who does not exist.
    """
    if user.id == mine.id:
        passwords.put(user, encoded, by_mail=False, now=wish.now)
    else:
        Password.objects.filter(user_id=mine.id).update(encoded=encoded)
    mine.name = wish.name
    if phone:
        sealed.write(mine, "phone", phone.encode())
    User.objects.filter(id=mine.id).update(name=mine.name, phone=mine.phone)


def _post(wish: Wish, user: User, new: NewCode) -> None:
    """The code, or to whoever has an account there already a mail that says so.

    Nothing to the deactivated, and no code where too many were wrong.
    """
    customer, sandbox_key_id = wish.customer, wish.caller.sandbox_key_id
    taken = user.email_verified_at is not None
    draft = drafts.draft(
        kind=TAKEN_MAIL if taken else CODE_MAIL,
        new=new,
        customer=customer,
        user=user,
        recipient=user.email if taken else wish.address.typed,
        sandbox_key_id=sandbox_key_id,
        now=wish.now,
        locale=wish.locale,
        more={"reset_link": links.to(customer, links.FORGOT_PASSWORD)},
    )
    closed = not taken and requesting.too_many_wrong(customer, user)
    insert = outbox.suppress if closed or user.status == UserStatus.DEACTIVATED else outbox.post
    insert(draft=draft, branding=customer.branding, quota=None if sandbox_key_id else customer.quota, now=wish.now)


def _accept(proof: Proof, message_id: UUID) -> User | None:
    """What the code opens. None when it is nobody's, or the account is closed."""
    with transaction.atomic():
        sent = outbox.destination_of(message_id)
        user = (
            User.objects.of(proof.customer.id)
            .select_for_update(of=("self",))
            .filter(email_identity=proof.address.identity)
            .first()
        )
        if sent is None or user is None or not _may_prove(proof.customer, user):
            return None
        registration = _registration_of(message_id, user, proof)
        if user.email_verified_at is not None:  # what else was registered for it is worth nothing any more
            return user if registration is None and emails.same_mailbox(user.email, sent.recipient) else None
        user.email = sent.recipient
        _become(user, registration, proof)
        ledger.code_used(message_id=message_id, now=proof.now)
        return user


def _may_prove(customer: CustomerStanding, user: User) -> bool:
    return user.status != UserStatus.DEACTIVATED and not requesting.too_many_wrong(customer, user)


def _registration_of(message_id: UUID, user: User, proof: Proof) -> Registration | None:
    """The registration that this code confirms, if it surely is one of whoever reads the mailbox.

    Where others have registered the same address from other networks, the code alone does not say whose password it
    confirms: they may have done so in between, so that the owner of the mailbox enters theirs. The password decides then.
    """
    opened = list(Registration.objects.filter(user=user, used_at=None, expires_at__gt=proof.now))
    found = _carried_by(message_id, opened, user)
    if found is None or len({row.network for row in opened}) == 1:
        return found
    return found if proof.password and passwords.matches(proof.password, found.encoded) else None


def _carried_by(message_id: UUID, opened: list[Registration], user: User) -> Registration | None:
    """The one whose code this is. A code asked for again stands for the one that made the user, if it alone is open.

    Not for the newest of several, nor for one of an address that had an unproven user already (imported, or registered
    long ago): it may be a stranger's, and the owner of the mailbox would confirm it.
    """
    own = [row for row in opened if row.message_id == message_id]
    if own:
        return own[0]
    asked_again = not Registration.objects.filter(message_id=message_id).exists()
    alone = opened[0] if len(opened) == 1 else None
    return alone if asked_again and alone is not None and alone.created_at == user.created_at else None


def _become(user: User, registration: Registration | None, proof: Proof) -> None:
    """The user is now what was registered; what others had set before goes, unless it is the same."""
    present = Password.objects.filter(user=user).values_list("encoded", flat=True).first()
    if registration is not None and present == registration.encoded:
        first_proof.note(user, customer=proof.customer, caller=proof.caller, now=proof.now)
    else:
        first_proof.by_mail(user, customer=proof.customer, caller=proof.caller, now=proof.now)
    if registration is not None:
        _take_over(user, registration, proof.now)
    user.save(update_fields=["email", "name", "phone"])


def _take_over(user: User, registration: Registration, now: datetime) -> None:
    registration.used_at = now
    registration.save(update_fields=["used_at"])
    passwords.put(user, registration.encoded, by_mail=False, now=now)
    user.name = registration.name or user.name
    if registration.phone:
        sealed.write(user, "phone", sealed.read(registration, "phone"))


def _record(action: str, user: User, caller: Caller, now: datetime) -> None:
    events.record(action=action, customer_id=user.customer_id, user_id=user.id, caller=caller, now=now)
