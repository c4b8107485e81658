"""Signing up: makes a new customer with its secrets, its owner, its first API key and a session, or nothing at all."""

import re
import secrets
import unicodedata
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.db import transaction

from apps.accounts import registration
from apps.accounts.errors import SignUpClosed
from apps.api_keys import lifecycle as api_keys
from apps.api_keys.models import ApiKey
from apps.audit import actions, refusals, steps
from apps.core import rate_limits
from apps.core.client_address import counted_as
from apps.core.context import RequestContext
from apps.customers import lifecycle as customers
from apps.customers import limits, state
from apps.customers.models import Customer
from apps.customers.state import CustomerState
from apps.otp import code_mails, code_requests, code_store, new_codes
from apps.otp.code_sets import CodeSet
from apps.otp.purposes import VERIFY_EMAIL
from apps.signin import amr, known_devices, passwords
from apps.signin.models import FirstFactor
from apps.tokens import sessions
from apps.tokens.minting import TokenPair
from apps.tokens.models import Delivery
from apps.users import languages, user_events
from apps.users.emails import Address
from apps.users.models import BuiltInRole, User, UserStatus

FIRST_KEY = "First key"
LONGEST_SLUG, RANDOM_HEX = 63, 3


@dataclass(frozen=True)
class SignUpRequest:
    """Somebody wants a customer of their own. `client_customer`: the one that the request came to, whose limits count."""

    client_customer: CustomerState
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


def sign_up(request: SignUpRequest) -> SignedUp:
    """Make a customer and sign its owner in.

    Raises SignUpClosed, ValidationFailed, RateLimited, QuotaExceeded or ValkeyUnavailable.
    """
    asked, identity = request.client_customer, request.address.identity
    with refusals.recorded(steps.SIGN_UP, request.context, customer_id=asked.id, address=identity):
        return _sign_up(request)


def _sign_up(request: SignUpRequest) -> SignedUp:
    if not settings.ALLOW_CUSTOMER_SIGNUP:
        raise SignUpClosed
    password = passwords.require_acceptable(request.password, address=request.address)
    limit = request.client_customer.limit(limits.SIGNUPS_PER_IP)
    network = limits.rule(limit, limits.EVERY_CUSTOMER, str(limit.window), counted_as(request.context.ip))
    sign_ups = rate_limits.hit([network])
    # A new customer starts with fresh counts. So mails are counted at `client_customer` too, or one mailbox could be flooded.
    mails = rate_limits.hit(code_requests.rules_for(request.client_customer, request.address, request.context))
    encoded = passwords.encode(password)
    with rate_limits.uncounted_if_it_fails(sign_ups, mails), transaction.atomic():
        return _make(request, encoded)


def _make(request: SignUpRequest, encoded: str) -> SignedUp:
    name = _name(request)
    customer = customers.create(name=name, slug=_free_slug(name), owner_is_proven=False, context=request.context)
    key, key_text = api_keys.create(customer=customer, name=FIRST_KEY, context=request.context)
    owner = _own(customer, request)
    passwords.put(owner, encoded, by_mail=False, now=request.context.now)
    found = state.read(customer.id)
    _send_code(owner, encoded, found, request)
    context = replace(request.context, sandbox_key_id="")  # a test key of another customer reads nothing of this one
    proven_by = amr.of_sign_in(FirstFactor.PASSWORD, ())
    event = user_events.about(actions.SIGN_IN, owner, request.context, method=FirstFactor.PASSWORD, second_factors=[])
    pair = sessions.start(
        customer=found, user=owner, amr=proven_by, delivery=Delivery.BODY, context=context, sign_in=event
    )
    known_devices.note(owner, customer=found, context=context)
    return SignedUp(customer, owner, key, key_text, pair)


def _own(customer: Customer, request: SignUpRequest) -> User:
    owner = User.objects.create(
        customer=customer,
        email=request.address.typed,
        email_identity=request.address.identity,
        role=BuiltInRole.ADMIN,
        status=UserStatus.ACTIVE,
        locale=languages.asked_for(context=request.context),
        is_owner=True,
        created_at=request.context.now,
    )
    user_events.record(actions.USER_CREATED, owner, request.context, owner=True)
    return owner


def _send_code(owner: User, encoded: str, customer: CustomerState, request: SignUpRequest) -> None:
    """The owner's address is proven like any other, by the code of a registration with the same password."""
    code_set = CodeSet(customer.id, owner.email_identity, VERIFY_EMAIL)  # redeemed with the new customer's live key
    new = new_codes.new(code_set, customer)
    registration.keep(owner, message_id=new.message_id, encoded=encoded, context=request.context)
    draft = code_mails.draft(
        kind=registration.CODE_MAIL,
        new=new,
        customer=customer,
        user=owner,
        recipient=owner.email,
        context=request.context,
    )
    with code_store.issued(code_set, new, customer=customer, rules=()):
        code_mails.post(draft, customer=customer, user=owner, receives=True, now=request.context.now)


def _name(request: SignUpRequest) -> str:
    return request.organization or request.address.typed.partition("@")[0]


def _free_slug(name: str) -> str:
    """A readable slug that is not taken. Its random letters keep it from telling who else has signed up."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: LONGEST_SLUG - 2 * RANDOM_HEX - 1].strip("-")
    return "-".join(filter(None, (words, secrets.token_hex(RANDOM_HEX))))
