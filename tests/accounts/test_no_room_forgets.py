"""No room forgets a user's data: each model that keeps some is in the erasure and in the export, or is named here with a reason.

The models are found by what they look like, so that a new one fails here until somebody has decided.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db.models import CASCADE, CharField, ForeignKey, Model

from apps.accounts.erasure import DELETED_WITH_THE_USER
from apps.accounts.export.sections import SECTIONS
from apps.audit.models import ChainLink, Event, Refusal, UnchainedEvent
from apps.core.ids import new_id
from apps.mail.models import LedgerEntry, Message
from apps.otp.models import FixedCode
from apps.tokens.models import RefreshToken, RevokedToken, Session
from apps.users.models import User

ERASED_OTHERWISE = {
    User: "the row itself",
    Message: "emptied: what was sent counts for the customer's quota, and its id is named by events",
    LedgerEntry: "hangs on a message; the answers of mail servers, which repeat addresses, are emptied",
    FixedCode: "kept by address, and deleted by it",
    Event: "the audit trail stays (contract 8), and holds no address",
    ChainLink: "part of the audit trail",
    UnchainedEvent: "part of the audit trail",
    Refusal: "kept by the hash of an address, which is taken from it",
    RefreshToken: "hangs on a session, and is deleted with it",
    RevokedToken: "hangs on a session, and is deleted with it",
}
EXPORTED_OTHERWISE = {
    User: "the account, beside the sections",
    LedgerEntry: "how a mail was delivered: times and answers of mail servers, nothing of the user's",
    FixedCode: "a setting of the customer's, with a code that must not be handed out",
    ChainLink: "hashes of the audit trail",
    UnchainedEvent: "numbers of the audit trail",
    RefreshToken: "the session shows what is known; the rest are random ids",
    RevokedToken: "the session shows what is known; the rest are random ids",
}


def models_of_our_own() -> Iterator[type[Model]]:
    yield from (model for model in apps.get_models() if model.__module__.startswith("apps."))


def names_a_user(field: Any) -> bool:
    """By a foreign key, by an id without one, or by an address."""
    if isinstance(field, ForeignKey):
        return field.related_model is User
    is_address = isinstance(field, CharField) and ("email" in field.name or field.name == "recipient")
    return field.name.endswith("user_id") or is_address


def models_with_data_of_users() -> set[type[Model]]:
    """Models that refer to a user, and models that refer to one of those."""
    found = {User} | {model for model in models_of_our_own() if any(map(names_a_user, model._meta.fields))}
    while more := {model for model in models_of_our_own() if model not in found and hangs_on(model, found)}:
        found |= more
    return found


def hangs_on(model: type[Model], others: set[type[Model]]) -> bool:
    return any(field.related_model in others for field in model._meta.fields if isinstance(field, ForeignKey))


def exported_models() -> set[type[Model]]:
    nobody = User(id=new_id(), customer_id=new_id())
    return {section.rows(nobody).model for section in SECTIONS}


def test_the_models_are_found() -> None:
    """Each way is found: a foreign key, an id, an address, and a reference to another such model."""
    assert {Session, Event, Message, FixedCode, RefreshToken, LedgerEntry} <= models_with_data_of_users()


def test_all_of_it_is_in_the_erasure() -> None:
    """C4, C8"""
    assert models_with_data_of_users() == set(DELETED_WITH_THE_USER) | set(ERASED_OTHERWISE)
    assert not set(DELETED_WITH_THE_USER) & set(ERASED_OTHERWISE)


def test_what_is_deleted_with_the_user_refers_to_the_user() -> None:
    """So that deleting the user's row deletes these too, after locking all of them."""
    for model in DELETED_WITH_THE_USER:
        key: Any = model._meta.get_field("user")
        assert (key.related_model, key.remote_field.on_delete) == (User, CASCADE), model


def test_all_of_it_is_in_the_export() -> None:
    """C4: all data held about the user."""
    assert models_with_data_of_users() == exported_models() | set(EXPORTED_OTHERWISE)
    assert not exported_models() & set(EXPORTED_OTHERWISE)


def test_each_section_of_the_export_has_a_name_of_its_own() -> None:
    assert len({section.name for section in SECTIONS}) == len(SECTIONS)
