"""Registering at a customer (contract 4, register). `verify_email` follows.

Anybody can register anybody's address. So what is registered is kept apart from the user, and becomes the user's once the
code that was sent to the address is given. A taken address gets the same answer, and costs the same work.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from apps.accounts.errors import RegistrationClosed
from apps.accounts.models import Registration
from apps.audit import actions, refusals, steps
from apps.core import sealed
from apps.core.client_address import counted_as
from apps.core.context import RequestContext
from apps.core.ids import new_id
from apps.customers import links
from apps.customers.state import CustomerState
from apps.otp import attempt_limits, code_mails, code_requests, code_store, new_codes
from apps.otp.new_codes import NewCode
from apps.otp.purposes import VERIFY_EMAIL
from apps.signin import passwords
from apps.signin.models import Password
from apps.users import languages, lifecycle, phones, user_events
from apps.users.emails import Address
from apps.users.models import BuiltInRole, User, UserStatus

CODE_MAIL, TAKEN_MAIL = "verify_email_code", "already_registered"
KEPT_FOR = timedelta(days=1)  # a code that came too late can be asked for again


@dataclass(frozen=True)
class RegistrationRequest:
    """A person who wants an account at this customer."""

    customer: CustomerState
    address: Address
    password: str = field(repr=False)
    name: str
    phone: str = field(repr=False)
    locale: str
    context: RequestContext


@dataclass(frozen=True)
class Registered:
    """The answer, which is the same for every address. Durations in seconds."""

    status: str
    expires_in: int
    resend_in: int


def register(request: RegistrationRequest) -> Registered:
    """Send a code to the address, or a mail that it has an account already. The answer is the same.

    Raises RegistrationClosed, ValidationFailed, ResendTooSoon, RateLimited, QuotaExceeded or ValkeyUnavailable.
    """
    customer, identity = request.customer, request.address.identity
    with refusals.recorded(steps.REGISTER, request.context, customer_id=customer.id, address=identity):
        return _register(request)


def _register(request: RegistrationRequest) -> Registered:
    customer = request.customer
    if not customer.allows_registration:
        raise RegistrationClosed
    password = passwords.require_acceptable(request.password, address=request.address)
    phone = phones.parse(request.phone) if request.phone else ""
    code_set = code_requests.code_set_of(customer, request.address, VERIFY_EMAIL, request.context)
    new = new_codes.new(code_set, customer)
    rules = code_requests.rules_for(customer, request.address, request.context)
    with code_store.issued(code_set, new, customer=customer, rules=rules):
        encoded = passwords.encode(password)
        with transaction.atomic():
            _write(request, new, encoded, phone)
    return Registered(_first_status(customer), customer.code_lifetime, customer.code_resend_after)


def keep(
    user: User, *, message_id: UUID, encoded: str, name: str = "", phone: str = "", context: RequestContext
) -> Registration:
    """Keep what was registered until the code of this message comes back. One statement."""
    row = Registration(
        id=new_id(),
        user=user,
        message_id=message_id,
        network=counted_as(context.ip),
        encoded=encoded,
        name=name,
        credentials_version=user.credentials_version,
        created_at=context.now,
        expires_at=context.now + KEPT_FOR,
    )
    if phone:
        sealed.write(row, "phone", phone.encode())
    row.save(force_insert=True)
    return row


def _first_status(customer: CustomerState) -> UserStatus:
    return lifecycle.status_due(User(), customer)  # a user who has proven nothing yet


def _write(request: RegistrationRequest, new: NewCode, encoded: str, phone: str) -> None:
    """The same statements whether or not the address is taken: user, registration, password, event, mail."""
    mine = _new_user(request)
    user = _save_or_find(mine)
    keep(
        user,
        message_id=new.message_id,
        encoded=encoded,
        name=request.name,
        phone=phone,
        context=request.context,
    )
    if not request.customer.demands_verified_email:
        _let_in_at_once(request, mine, user, encoded, phone)
    user_events.record(actions.USER_REGISTERED, user, request.context)
    _post(request, user, new)


def _new_user(request: RegistrationRequest) -> User:
    return User(
        id=new_id(),
        customer_id=request.customer.id,
        email=request.address.typed,
        email_identity=request.address.identity,
        role=BuiltInRole.COMPANY_USER,
        status=_first_status(request.customer),
        locale=languages.asked_for(locale=request.locale, context=request.context),
        created_at=request.context.now,
    )


def _save_or_find(mine: User) -> User:
    """This user, or the one who has the address already. Locked, so that nobody erases it meanwhile."""
    while True:
        User.objects.bulk_create([mine], ignore_conflicts=True)
        found = User.objects.of(mine.customer_id).select_for_update(of=("self",), no_key=True)
        user = found.filter(email_identity=mine.email_identity).first()
        if user is not None:
            return user  # otherwise it was erased between the two statements, and the address is free


def _let_in_at_once(request: RegistrationRequest, mine: User, user: User, encoded: str, phone: str) -> None:
    """Where no proven address is demanded, a new user gets password, name and phone number at once.

    The user of a taken address keeps what it has. Then the same two statements are made for a user who does not exist.
    """
    if user.id == mine.id:
        passwords.put(user, encoded, by_mail=False, now=request.context.now)
    else:
        Password.objects.filter(user_id=mine.id).update(encoded=encoded)
    mine.name = request.name
    if phone:
        sealed.write(mine, "phone", phone.encode())
    User.objects.filter(id=mine.id).update(name=mine.name, phone=mine.phone)


def _post(request: RegistrationRequest, user: User, new: NewCode) -> None:
    """Send the code; to an address that is proven, send a mail that says that it has an account.

    A deactivated user gets nothing. A user without a proven address gets no code after too many wrong ones.
    """
    customer = request.customer
    taken = user.email_verified_at is not None
    draft = code_mails.draft(
        kind=TAKEN_MAIL if taken else CODE_MAIL,
        new=new,
        customer=customer,
        user=user,
        recipient=user.email if taken else request.address.typed,
        context=request.context,
        locale=request.locale,
        more={"reset_link": links.to(customer, links.FORGOT_PASSWORD)},
    )
    closed = not taken and attempt_limits.is_closed_to_codes(customer, user)
    receives = not closed and user.status != UserStatus.DEACTIVATED
    code_mails.post(draft, customer=customer, user=user, receives=receives, now=request.context.now)
