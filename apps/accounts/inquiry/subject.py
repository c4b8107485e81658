"""Who an inquiry is about: an address, or its hash alone, at one customer; and the user who has it, if there is one."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q, QuerySet

from apps.accounts import mails
from apps.audit import address_hashes, refusals
from apps.audit.models import Event, Refusal
from apps.core.ids import parse_id
from apps.customers.models import Customer
from apps.mail.models import Message
from apps.users import emails
from apps.users.emails import Address
from apps.users.models import User

MOST_CUSTOMERS = 10


@dataclass(frozen=True)
class Circumstances:
    """What is known about the request that was refused. `at`: about when it was."""

    ip: str = ""
    key_id: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class InquirySubject:
    """At one customer, the user, the address or its hash that the inquiry is about. `address` is None if only the hash is known."""

    customer: Customer
    user: User | None
    address: Address | None
    address_hash: bytes | None = field(repr=False)


def of_address(customer: Customer, address: Address) -> InquirySubject:
    users = User.objects.of(customer.id).filter(email_identity=address.identity)
    user = users.select_related("password", "identity_check").first()
    return InquirySubject(customer, user, address, address_hashes.of(address.identity))


def of_event(customer: Customer, event: Event) -> InquirySubject:
    """Whom an event is about: its user or, if it names none, the address that was refused, which we know by its hash alone."""
    user = User.objects.of(customer.id).filter(id=event.user_id).first() if event.user_id else None
    if user is not None:
        return of_address(customer, emails.parse(user.email))
    noted = Refusal.objects.of(customer.id).filter(event_id=event.id).first()
    return InquirySubject(customer, None, None, bytes(noted.address_hash) if noted and noted.address_hash else None)


def mails_of(subject: InquirySubject) -> QuerySet[Message]:
    """What was sent to the user or, if nobody has the address, to the address."""
    at_customer = Message.objects.of(subject.customer.id)
    if subject.user is not None:
        return at_customer.filter(id__in=mails.of(subject.user).values("id"))
    if subject.address is None:
        return at_customer.none()
    spellings = {subject.address.typed, subject.address.identity}
    return at_customer.filter(id__in=mails.to_nobody(spellings).of(subject.customer.id).values("id"))


def customers_that_know(visible: QuerySet[Customer], address: Address) -> list[Customer]:
    """Those of the visible customers where the address has a user, was refused, or was sent something: the first few by name."""
    users = User.objects.filter(email_identity=address.identity)
    refused = refusals.of_address(address.identity)
    sent = mails.to_nobody({address.typed, address.identity})
    first, *others = (rows.order_by().values_list("customer_id") for rows in (users, refused, sent))
    known = [customer_id for (customer_id,) in first.union(*others) if customer_id]  # each by its index
    return list(visible.filter(id__in=known).order_by("name", "id")[:MOST_CUSTOMERS])


def find_customer(visible: QuerySet[Customer], text: str) -> Customer | None:
    """Of the visible customers, the one of this slug, id or exact name."""
    named = Q(slug=text) | Q(name=text)
    if found := parse_id(text):
        named |= Q(id=found)
    return visible.filter(named).order_by("created_at", "id").first()
