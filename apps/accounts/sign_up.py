"""Signing up: a new customer with secrets of its own, its owner, its first key, and a session, all or nothing."""

import re
import secrets
import unicodedata
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.db import transaction

from apps.accounts import registration
from apps.accounts.errors import SignUpClosed
from apps.api_keys import lifecycle as api_keys
from apps.api_keys.models import ApiKey
from apps.audit import actions, events
from apps.core import rate_limits
from apps.core.client_address import counted_as
from apps.core.context import RequestContext
from apps.customers import lifecycle as customers
from apps.customers import limits, state
from apps.customers.models import Customer
from apps.customers.state import CustomerState
from apps.otp import codes, drafts, requesting
from apps.otp.codes import Place
from apps.otp.purposes import VERIFY_EMAIL
from apps.signin import amr, devices, passwords
from apps.signin.models import FirstFactor
from apps.tokens import sessions
from apps.tokens.minting import TokenPair
from apps.tokens.models import Delivery
from apps.users import directory, languages
from apps.users.emails import Address
from apps.users.models import BuiltInRole, User, UserStatus

FIRST_KEY = "First key"
LONGEST_SLUG, RANDOM_HEX = 63, 3


@dataclass(frozen=True)
class Wish:
    """Who wants to have a customer of their own. `asked`: the customer that the request itself belongs to."""

    asked: CustomerState
    address: Address
    password: str = field(repr=False)
    organization: str
    context: RequestContext


@dataclass(frozen=True)
class SignedUp:
    """All that was made. The key's text is nowhere once the answer has gone."""

    customer: Customer
    owner: User
    key: ApiKey
    key_text: str = field(repr=False)
    pair: TokenPair


def sign_up(wish: Wish) -> SignedUp:
    """Make a customer and sign its owner in.

    Raises SignUpClosed, ValidationFailed, RateLimited, QuotaExceeded or ValkeyUnavailable.
    """
    if not settings.ALLOW_CUSTOMER_SIGNUP:
        raise SignUpClosed
    password = passwords.require_acceptable(wish.password, address=wish.address)
    limit = wish.asked.limit(limits.SIGNUPS_PER_IP)
    network = limits.rule(limit, limits.EVERY_CUSTOMER, str(limit.window), counted_as(wish.context.ip))
    sign_ups = rate_limits.hit([network])
    # Every new customer has counts of its own: those of the one that was asked keep one mailbox from being flooded.
    mails = rate_limits.hit(requesting.rules_for(wish.asked, wish.address, wish.context))
    encoded = passwords.encode(password)
    with rate_limits.uncounted_if_it_fails(sign_ups, mails), transaction.atomic():
        return _make(wish, encoded)


def _make(wish: Wish, encoded: str) -> SignedUp:
    name = _name(wish)
    customer = customers.create(name=name, slug=_free_slug(name), owner_is_proven=False, context=wish.context)
    key, key_text = api_keys.create(customer=customer, name=FIRST_KEY, context=wish.context)
    owner = _own(customer, wish)
    passwords.put(owner, encoded, by_mail=False, now=wish.context.now)
    found = state.read(customer.id)
    _send_code(owner, encoded, found, wish)
    context = replace(wish.context, sandbox_key_id="")  # a test key of another customer reads nothing of this one
    proven_by = amr.of_sign_in(FirstFactor.PASSWORD, ())
    pair = sessions.start(customer=found, user=owner, amr=proven_by, delivery=Delivery.BODY, context=context)
    devices.note(owner, customer=found, context=context)
    directory.note_sign_in(owner, now=wish.context.now)
    _record(actions.SIGN_IN, owner, wish, method=FirstFactor.PASSWORD, second_factors=[])
    return SignedUp(customer, owner, key, key_text, pair)


def _own(customer: Customer, wish: Wish) -> User:
    owner = User.objects.create(
        customer=customer,
        email=wish.address.typed,
        email_identity=wish.address.identity,
        role=BuiltInRole.ADMIN,
        status=UserStatus.ACTIVE,
        locale=languages.asked_for(context=wish.context),
        is_owner=True,
        created_at=wish.context.now,
    )
    _record(actions.USER_CREATED, owner, wish, owner=True)
    return owner


def _record(action: str, user: User, wish: Wish, **details: Any) -> None:
    events.record(
        action=action,
        customer_id=user.customer_id,
        user_id=user.id,
        context=wish.context,
        details=details,
    )


def _send_code(owner: User, encoded: str, customer: CustomerState, wish: Wish) -> None:
    """The owner's address is proven like any other: by the code of a registration with the same password."""
    place = Place(customer.id, owner.email_identity, VERIFY_EMAIL)  # given back with the new customer's live key
    new = codes.new(place, customer)
    registration.keep(owner, message_id=new.message_id, encoded=encoded, context=wish.context)
    draft = drafts.draft(
        kind=registration.CODE_MAIL,
        new=new,
        customer=customer,
        user=owner,
        recipient=owner.email,
        context=wish.context,
    )
    with codes.issued(place, new, customer=customer, rules=()):
        drafts.post(draft, customer=customer, user=owner, receives=True, now=wish.context.now)


def _name(wish: Wish) -> str:
    return wish.organization or wish.address.typed.partition("@")[0]


def _free_slug(name: str) -> str:
    """Readable, and not taken: with a few random letters, so that it tells nothing of who else has signed up."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: LONGEST_SLUG - 2 * RANDOM_HEX - 1].strip("-")
    return "-".join(filter(None, (words, secrets.token_hex(RANDOM_HEX))))
