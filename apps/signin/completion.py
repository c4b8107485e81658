"""How a sign-in goes on after each right factor: to tokens, or to a challenge that asks for another (contract 4, login)."""

from dataclasses import dataclass, field

from apps.audit import actions
from apps.audit.events import NewEvent
from apps.factors import enrolled
from apps.factors.enrolled import Enrolled
from apps.signin import (
    amr,
    challenges,
    known_countries,
    known_devices,
    pending_sign_in,
    remembered_devices,
    requirements,
)
from apps.signin.challenges import Challenged
from apps.signin.models import RememberedDevice
from apps.signin.pending_sign_in import PendingSignIn
from apps.tokens import sessions
from apps.tokens.minting import TokenPair
from apps.tokens.session_rows import CodeOfUser
from apps.users import user_events
from apps.users.models import User


@dataclass(frozen=True)
class SignedIn:
    """A user with a fresh session. `device_token`: for the browser to keep, if it is remembered from now on."""

    user: User
    is_new: bool
    pair: TokenPair
    enrol: tuple[str, ...] = ()  # factors that the customer demands and the user should enrol next
    device_token: str = field(default="", repr=False)


def proceed(pending: PendingSignIn) -> SignedIn | Challenged:
    """A session if nothing more is needed, else a challenge. In the caller's transaction."""
    found = enrolled.of(pending.user.id)
    missing = pending_sign_in.missing(pending, found)
    device = remembered_devices.standing_in(pending, found) if missing is not None else None
    if missing is not None and device is None:
        return challenges.issue(pending, missing)
    enrol = requirements.to_enrol(policy=pending.customer.second_factor, enrolled=found)
    return _finish(pending, enrol, device)


def _finish(pending: PendingSignIn, enrol: tuple[str, ...], device: RememberedDevice | None) -> SignedIn:
    """Begin a session. Raises UserInactive for a user who was deactivated or erased a moment ago."""
    pair = sessions.start(
        customer=pending.customer,
        user=pending.user,
        amr=amr.of_sign_in(pending.first_factor, pending.passed),
        delivery=pending.delivery,
        proven_at=device.created_at if device else None,  # when all that the account asks for was last given
        context=pending.context,
        sign_in=_event(pending, device),
    )
    known_devices.note(pending.user, customer=pending.customer, context=pending.context)
    known_countries.note(pending.user, context=pending.context)
    return SignedIn(pending.user, pending.is_new, pair, enrol, _remembered(pending))


def at_once(pending: PendingSignIn, found: Enrolled, code: CodeOfUser) -> SignedIn | None:
    """A session for this code, by one statement that uses it up and commits by itself. None if the transaction has to decide.

    For a user who was read without a lock, from a known device and country, with room for a session. Raises ReplayedRequest.
    """
    is_new_country = known_countries.is_new(pending.user, pending.context)
    if is_new_country or pending_sign_in.missing(pending, found) is not None:
        return None
    pair = sessions.start_by_code(
        customer=pending.customer,
        user=pending.user,
        amr=amr.of_sign_in(pending.first_factor, pending.passed),
        delivery=pending.delivery,
        context=pending.context,
        sign_in=_event(pending),
        code=code,
    )
    enrol = requirements.to_enrol(policy=pending.customer.second_factor, enrolled=found)
    return SignedIn(pending.user, pending.is_new, pair, enrol) if pair else None


def _event(pending: PendingSignIn, device: RememberedDevice | None = None) -> NewEvent:
    by = {"method": pending.first_factor, "second_factors": list(pending.passed)}
    remembered = {"remembered": str(device.id)} if device else {}
    return user_events.of_own(actions.SIGN_IN, pending.user, pending.context, **by, **remembered)


def _remembered(pending: PendingSignIn) -> str:
    """The token of this browser, if the user wants it to be remembered and the customer allows it."""
    wanted = pending.remember and remembered_devices.may_remember(pending.customer, pending.passed)
    return remembered_devices.remember(pending) if wanted else ""
