"""What the export holds: the account itself (`users.account`), and these lists, in this order.

A room that begins to keep something about users adds a section here; tests/accounts/test_no_room_forgets.py says so if not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

from apps.accounts.export import accounts, approvals, audit, factors, files, mail, oauth, signin, tokens
from apps.accounts.models import EmailChange
from apps.approvals.models import IdentityCheck
from apps.audit import actions
from apps.core.context import RequestContext
from apps.factors.models import Passkey, Phone, RecoveryCode, Totp
from apps.files.models import UserFile
from apps.signin.models import Challenge, KnownCountry, KnownDevice, Password, RememberedDevice
from apps.users import user_events
from apps.users.models import User

Rows = Callable[[User], QuerySet[Any]]
Represent = Callable[[Any], dict[str, Any]]


@dataclass(frozen=True)
class Section:
    """One list of the export: the user's rows (their primary keys are UUIDv7), and how one is shown. Never a secret or a hash."""

    name: str
    rows: Rows
    represent: Represent


def rows_of(model: type[Model]) -> Rows:
    """All rows of this model that belong to the user."""
    return lambda user: model._default_manager.filter(user=user)


SECTIONS = (
    Section("mails", mail.messages_of, mail.message),
    Section("events", audit.events_of, audit.event),
    Section("refusals", audit.refusals_of, audit.refusal),
    Section("sessions", tokens.sessions_of, tokens.session),
    Section("authenticator_app", rows_of(Totp), factors.authenticator_app),
    Section("phone_factor", rows_of(Phone), factors.phone),
    Section("passkeys", rows_of(Passkey), factors.passkey),
    Section("recovery_codes", rows_of(RecoveryCode), factors.recovery_code),
    Section("password", rows_of(Password), signin.password),
    Section("known_devices", rows_of(KnownDevice), signin.known_device),
    Section("known_countries", rows_of(KnownCountry), signin.known_country),
    Section("authorizations", oauth.authorizations_of, oauth.authorization),
    Section("remembered_devices", rows_of(RememberedDevice), signin.remembered_device),
    Section("email_changes", rows_of(EmailChange), accounts.email_change),
    Section("registrations", accounts.registrations_of, accounts.registration),
    Section("files", rows_of(UserFile), files.file),
    Section("identity_check", rows_of(IdentityCheck), approvals.identity_check),
    Section("challenges", rows_of(Challenge), signin.challenge),
    Section("resets", accounts.resets_of, accounts.reset),
)


def find(name: str) -> Section | None:
    """The section of this name, if there is one."""
    return next((section for section in SECTIONS if section.name == name), None)


def note_export(user: User, *, section: str, context: RequestContext) -> None:
    """Record that the data was handed out, or one section of it."""
    user_events.record_own(actions.USER_EXPORTED, user, context, section=section or "all")
