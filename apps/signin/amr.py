"""How a session's user has proven who they are, as the claim `amr` says it (RFC 8176), for each way in and second factor."""

from apps.factors.methods import PASSKEY, RECOVERY_CODE, SMS, TOTP
from apps.signin.models import FirstFactor
from apps.signin.requirements import EMAIL
from apps.tokens import proof

OF_FIRST_FACTOR = {
    FirstFactor.CODE: proof.ONE_TIME_CODE,
    FirstFactor.PASSWORD: proof.PASSWORD,
    FirstFactor.PASSKEY: proof.HARDWARE_KEY,
}
OF_SECOND_FACTOR = {
    PASSKEY: proof.HARDWARE_KEY,
    TOTP: proof.ONE_TIME_CODE,
    SMS: proof.SMS,
    RECOVERY_CODE: proof.ONE_TIME_CODE,
    EMAIL: proof.ONE_TIME_CODE,
}


def of_sign_in(first_factor: FirstFactor, passed: tuple[str, ...]) -> tuple[str, ...]:
    """Of a sign-in. `passed`: its second factors. A passkey alone counts as one too: its device has verified its user."""
    several = (proof.SEVERAL_FACTORS,) if passed else ()
    return proof.ordered((OF_FIRST_FACTOR[first_factor], *map(OF_SECOND_FACTOR.__getitem__, passed), *several))


def of_second_factor(method: str) -> tuple[str, ...]:
    """Of a second factor that a user gives who is signed in."""
    return proof.ordered((OF_SECOND_FACTOR[method], proof.SEVERAL_FACTORS))
