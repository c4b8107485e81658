"""How a sign-in goes on after each right factor: to tokens, or to a challenge that asks for another (contract 4, login)."""

from dataclasses import dataclass, field

from apps.audit import actions
from apps.factors import enrolled
from apps.signin import amr, challenges, known_devices, pending_sign_in, remembered_devices, requirements
from apps.signin.challenges import Challenged
from apps.signin.models import RememberedDevice
from apps.signin.pending_sign_in import PendingSignIn
from apps.tokens import sessions
from apps.tokens.errors import UserInactive
from apps.tokens.minting import TokenPair
from apps.users import directory
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
    customer, user = pending.customer, pending.user
    if not directory.note_sign_in(user, now=pending.context.now):
        raise UserInactive
    pair = sessions.start(
        customer=customer,
        user=user,
        amr=amr.of_sign_in(pending.first_factor, pending.passed),
        delivery=pending.delivery,
        proven_at=device.created_at if device else None,  # when all that the account asks for was last given
        context=pending.context,
    )
    known_devices.note(user, customer=customer, context=pending.context)
    by = {"method": pending.first_factor, "second_factors": list(pending.passed)}
    pending_sign_in.record(actions.SIGN_IN, pending, **by, **({"remembered": str(device.id)} if device else {}))
    return SignedIn(user, pending.is_new, pair, enrol, _remembered(pending))


def _remembered(pending: PendingSignIn) -> str:
    """The token of this browser, if the user wants it to be remembered and the customer allows it."""
    wanted = pending.remember and remembered_devices.may_remember(pending.customer, pending.passed)
    return remembered_devices.remember(pending) if wanted else ""
