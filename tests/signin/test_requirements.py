"""Which second factors a sign-in still needs where a customer demands two (contract 4)."""

import pytest

from apps.factors.enrolled import Enrolled
from apps.signin.requirements import GivenFactors, MissingFactors, missing

NOTHING = Enrolled(())
PASSKEY = Enrolled(("passkey", "recovery_code"))
APP = Enrolled(("totp", "recovery_code"))
BOTH = Enrolled(("passkey", "sms", "recovery_code"))
BOTH_WITHOUT_SPARE = Enrolled(("passkey", "sms"))
COPIED = Enrolled((), has_copied_passkey=True)
COPIED_AND_SMS = Enrolled(("sms", "recovery_code"), has_copied_passkey=True)


def of_both(
    enrolled: Enrolled, *passed: str, mailbox: bool = False, may_use_email: bool = True
) -> MissingFactors | None:
    given = GivenFactors(passed, mailbox=mailbox, may_use_email=may_use_email and not mailbox)
    return missing(policy="both", enrolled=enrolled, given=given)


@pytest.mark.parametrize(
    ("enrolled", "passed", "then"),
    [
        (BOTH, (), ("passkey", "sms", "recovery_code")),
        (BOTH, ("passkey",), ("sms", "recovery_code")),
        (BOTH, ("passkey", "sms"), None),
        (BOTH, ("sms", "recovery_code"), None),
        (BOTH_WITHOUT_SPARE, ("passkey",), ("sms",)),
        (COPIED_AND_SMS, (), ("sms", "recovery_code")),
        (COPIED_AND_SMS, ("recovery_code", "sms"), None),
    ],
)
def test_two_are_given_of_what_is_there(
    enrolled: Enrolled, passed: tuple[str, ...], then: tuple[str, ...] | None
) -> None:
    assert of_both(enrolled, *passed) == (None if then is None else MissingFactors(then))


def test_a_recovery_code_stands_for_one_of_the_two_and_is_not_asked_for_again() -> None:
    assert of_both(BOTH, "recovery_code") == MissingFactors(("passkey", "sms"))
    assert of_both(BOTH, "recovery_code", "recovery_code") == MissingFactors(("passkey", "sms"))


def test_a_recovery_code_does_not_stand_for_what_was_never_enrolled() -> None:
    assert of_both(PASSKEY, "recovery_code", "passkey") == MissingFactors((), enrol=("sms",))
    assert of_both(APP, "recovery_code") == MissingFactors((), enrol=("passkey", "sms"))


@pytest.mark.parametrize("mailbox", [True, False])
def test_nobody_enrols_beside_factors_of_which_none_was_given(*, mailbox: bool) -> None:
    """Else reading the mailbox, or knowing the password, would be enough to get around the authenticator app."""
    assert of_both(APP, mailbox=mailbox) == MissingFactors(("totp", "recovery_code"))
    assert of_both(APP, "totp", mailbox=mailbox) == MissingFactors((), enrol=("passkey", "sms"))
    assert of_both(APP, "email", mailbox=mailbox) == MissingFactors(("totp", "recovery_code"))


def test_who_has_nothing_enrols_after_the_mailbox_is_proven() -> None:
    assert of_both(NOTHING) == MissingFactors(("email",))
    assert of_both(NOTHING, "email") == MissingFactors((), enrol=("passkey", "sms"))
    assert of_both(NOTHING, mailbox=True) == MissingFactors((), enrol=("passkey", "sms"))
    assert of_both(NOTHING, "passkey", mailbox=True) == MissingFactors((), enrol=("sms",))


def test_a_copied_passkey_protects_the_account_still() -> None:
    """It takes both the password and the mailbox to get around it."""
    assert of_both(COPIED) == MissingFactors(("email",))
    assert of_both(COPIED, "email") == MissingFactors((), enrol=("passkey", "sms"))
    assert of_both(COPIED, mailbox=True) == MissingFactors(())


def test_closed_to_codes_only_what_cannot_be_guessed_is_left() -> None:
    given = GivenFactors((), mailbox=False, may_use_email=True, codes_closed=True)
    assert missing(policy="both", enrolled=BOTH, given=given) == MissingFactors(("passkey", "recovery_code"))
    assert missing(policy="optional", enrolled=APP, given=given) == MissingFactors(("recovery_code",))
    assert missing(policy="required", enrolled=NOTHING, given=given) == MissingFactors(())
