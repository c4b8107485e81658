"""Making a code."""

import secrets
from dataclasses import dataclass, field
from uuid import UUID

from apps.core.ids import new_id
from apps.customers.policy import CodeAlphabet
from apps.customers.state import CustomerState
from apps.otp.code_sets import CodeSet

ALPHABETS = {
    CodeAlphabet.DIGITS: "0123456789",
    CodeAlphabet.LETTERS: "ABCDEFGHJKMNPQRTUVWXY",  # no I/1, L, O/0, S/5, Z/2
}


@dataclass(frozen=True)
class NewCode:
    """A fresh code, the message that will carry it, and the name of the set that it belongs to. Never printed."""

    message_id: UUID
    set_name: str
    code: str = field(repr=False)


def new(code_set: CodeSet, customer: CustomerState, *, fixed: str | None = None) -> NewCode:
    """A code for this set by the customer's policy, from the system's CSPRNG; or the fixed one."""
    alphabet = ALPHABETS[CodeAlphabet(customer.code_alphabet)]
    return NewCode(new_id(), code_set.name, fixed or _random(alphabet, customer.code_length))


def _random(alphabet: str, length: int) -> str:
    """Every code is as likely as any other: one number among so many, written with these letters."""
    number, letters = secrets.randbelow(len(alphabet) ** length), []
    for _ in range(length):
        number, letter = divmod(number, len(alphabet))
        letters.append(alphabet[letter])
    return "".join(letters)
