"""Passwords: which are accepted, how they are kept, and the one way to check one (contract 4; NIST SP 800-63B)."""

import unicodedata
from datetime import datetime
from functools import cache
from uuid import UUID

import bcrypt
from django.contrib.auth import hashers
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.core.errors import ValidationFailed
from apps.signin.models import Password
from apps.users.emails import Address
from apps.users.models import User

SHORTEST, LONGEST = 8, 128  # characters
ARGON2 = "argon2"


class Argon2Hasher(hashers.Argon2PasswordHasher):
    """Argon2id with OWASP's second set of costs: 19 MiB and 2 passes, so that a burst of sign-ins exhausts no memory."""

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1


class BCryptHasher(hashers.BCryptPasswordHasher):
    """For imported hashes: bytes after the 72nd are ignored, as in the systems that made them.

    bcrypt 5 refuses longer passwords with a ValueError; earlier versions cut them.
    """

    longest = 72  # bytes

    def verify(self, password: str, encoded: str) -> bool:
        _algorithm, made = encoded.split("$", 1)
        return bcrypt.checkpw(password.encode()[: self.longest], made.encode())


def normalise(text: str) -> str:
    """One form of a text that keyboards write in several ways (RFC 8265 section 4.2.2)."""
    return unicodedata.normalize("NFC", text)


def require_acceptable(text: str, *, address: Address, field: str = "password") -> str:
    """The password, normalised. Raises ValidationFailed."""
    password = normalise(text)
    fault = _fault(password, address)
    if fault:
        raise ValidationFailed(fields={field: [fault]})
    return password


def exists(user_id: UUID) -> bool:
    """Whether the user has a password."""
    return Password.objects.filter(user_id=user_id).exists()


def encode(password: str) -> str:
    """The hash to keep. Costs one Argon2."""
    return hashers.make_password(password)


def put(user: User, encoded: str, *, by_mail: bool, now: datetime) -> None:
    """Make it the user's password; a lock on the old one goes with it. One statement."""
    row = Password(user=user, encoded=encoded, set_at=now, set_by_mail=by_mail)
    Password.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["user"],
        update_fields=[
            "encoded",
            "set_at",
            "set_by_mail",
            "is_imported",
            "wrong_in_a_row",
            "locked_until",
            "lock_told_at",
            "lock_sandbox_key_id",
        ],
    )


def matches(text: str, encoded: str | None, *, is_imported: bool = False) -> bool:
    """Whether this is the password. Costs one Argon2 of ours whatever `encoded` is, even None.

    An imported hash may cost next to nothing to check, which alone would tell who has one: so its cost comes on top. It was
    made by a system that normalised otherwise, or not at all, so each form that the text may have had there is tried.
    """
    password = normalise(text)
    if encoded is None or is_imported or is_outdated(encoded):
        hashers.make_password(password)
    if encoded is None:
        return False
    forms = _forms(text) if is_imported else (password,)
    return any(hashers.verify_password(form, encoded)[0] for form in forms)


def _forms(text: str) -> tuple[str, ...]:
    """The forms that keyboards and systems make of one password: a single one unless it has accents or compatibility letters."""
    forms = (normalise(text), text, *(unicodedata.normalize(name, text) for name in ("NFD", "NFKC")))
    return tuple(dict.fromkeys(forms))


def is_outdated(encoded: str) -> bool:
    """Whether the hash is of another kind, or cheaper, than we make today."""
    return hashers.identify_hasher(encoded).must_update(encoded) or not encoded.startswith(ARGON2)


def _fault(password: str, address: Address) -> str | None:
    if not SHORTEST <= len(password) <= LONGEST:
        return _("Choose a password of %(shortest)d to %(longest)d characters.") % {
            "shortest": SHORTEST,
            "longest": LONGEST,
        }
    names = {address.typed, address.identity, address.identity.partition("@")[0]}
    if password.casefold() in {name.casefold() for name in names}:
        return _("Choose a password that is not your email address.")
    try:
        _commonest().validate(password)
    except ValidationError:
        return _("This password is among the commonest. Choose another.")
    return None


@cache
def _commonest() -> CommonPasswordValidator:
    """Read once a process: to unpack its list of 20,000 takes longer than the rest of a request."""
    return CommonPasswordValidator()
