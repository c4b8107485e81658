"""What a change of credentials voids: the table of docs/accounts.md, each of its events and each of its ways in.

`EVENTS` and `WAYS` bear the names of the table's columns and rows. A way is begun before the event, and gives what tries to
use it after: true if it still leads in.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pyotp
from django.contrib.auth import hashers
from django.utils import timezone

from apps.accounts import deactivation
from apps.accounts.models import Registration
from apps.core import sealed
from apps.core.ids import new_id
from apps.customers.models import Customer
from apps.factors import recovery_codes, removal
from apps.factors.models import Passkey, Phone, Totp
from apps.factors.removal import Removal
from apps.mail import outbox
from apps.mail.models import Message
from apps.signin import by_password, remembered_devices
from apps.signin.by_password import PasswordSignIn
from apps.signin.completion import SignedIn
from apps.signin.errors import InvalidCredentials
from apps.signin.models import FirstFactor, Password
from apps.signin.pending_sign_in import PendingSignIn
from apps.users import emails, lifecycle
from apps.users.models import User
from demo.client import Client
from tests import factories
from tests.accounts.moving import ask, confirm, undo, undo_token
from tests.accounts.recovering import TOKEN, forgot, reset
from tests.accounts.registering import register, verify
from tests.conftest import MakeClient
from tests.factors.authenticator import Authenticator, encode
from tests.oauth import exchanging
from tests.otp.reading import code_of
from tests.signin import proving
from tests.signin.entering import FRESH, PASSWORD, generous, login, second, send

DOCUMENT = Path(__file__).parents[2] / "docs" / "accounts.md"
HEADING = "## What a change of credentials voids"
VOID, STANDS, NEVER = "void", "stands", "—"  # the last one: cannot happen
REGISTERED = "what was registered long before"
SECRET = pyotp.random_base32()
NUMBER, OTHER_NUMBER = "+4915112345678", "+4915112345679"
ROOMY = ("codes_per_email", "codes_per_ip", "codes_per_customer", "sms_per_number", "sms_per_user")


@dataclass
class World:
    """One customer with high limits, and a caller."""

    customer: Customer
    client: Client
    users: int = 0


@dataclass
class Someone:
    """A user with a password and every factor, proven or not, and the session in which the event will be brought about."""

    client: Client
    user: User
    email: str
    app: pyotp.TOTP
    device: Authenticator
    spare: Authenticator
    spare_id: str
    codes: list[str]
    here: str
    comes_back: bool = True  # in a fresh session, where there can be one

    def token(self) -> str:
        user = User.objects.filter(id=self.user.id).first() if self.comes_back else None
        return factories.session(user).access if user else self.here

    def mailed(self, kind: str) -> str:
        """The code in the newest message of this kind to this user, or to its address."""
        mine = Message.objects.filter(kind=kind, user_id=self.user.id).exclude(content="")
        return code_of(mine.order_by("-id")[0])


Attempt = Callable[[], bool]


@cache
def encoded() -> str:
    """Of everybody's password. Not when this file is read: a hash costs in each check what it cost when it was made."""
    return hashers.make_password(PASSWORD)


def world(client_for: MakeClient, **policy: object) -> World:
    customer = generous(code_resend_after=0, demands_verified_email=False, remember_device_days=30, **policy)
    factories.first_limits(customer, *ROOMY, count=1_000_000)
    return World(customer, client_for(customer))


def someone(of: World, *, proven: bool) -> Someone:
    """A user as it was five minutes ago. Its rows are written, since enrolling as clients do takes most of a test's time."""
    of.users += 1
    email = f"user{of.users}@example.com"
    then = timezone.now() - timedelta(minutes=5)
    user = factories.user(of.customer, email, email_verified_at=then if proven else None)
    Password.objects.create(user=user, encoded=encoded(), set_at=then)
    _keep_sealed(Totp(id=new_id(), user=user, created_at=then, confirmed_at=then), "secret", SECRET)
    _keep_sealed(Phone(id=new_id(), user=user, created_at=then, confirmed_at=then, hint="+49"), "number", NUMBER)
    codes = list(recovery_codes.make(user, now=then))
    device, spare = Authenticator(), Authenticator()
    _own, kept = Passkey.objects.bulk_create([_passkey(user, each, then) for each in (device, spare)])
    here = factories.session(user).access
    return Someone(of.client, user, email, pyotp.TOTP(SECRET), device, spare, str(kept.id), codes, here)


def _keep_sealed(row: Totp | Phone, name: str, text: str) -> None:
    sealed.write(row, name, text.encode())
    row.save(force_insert=True)


def _passkey(user: User, device: Authenticator, then: datetime) -> Passkey:
    device.user_handle = encode(user.id.bytes)
    return Passkey(
        customer_id=user.customer_id,
        user=user,
        name="device",
        credential_id=encode(device.credential_id),
        public_key=device.public_key_in_cose(),
        created_at=then,
    )


# --- Ways in ----------------------------------------------------------------------------------------------------


def sign_in_code(who: Someone) -> Attempt:
    who.client.request_otp(who.email)
    code = who.mailed("sign_in_code")
    return lambda: any(who.client.verify_otp(email, code).status == 200 for email in addresses(who))


def verification_code(who: Someone) -> Attempt:
    who.client.request_otp(who.email, purpose="verify_email")
    code = who.mailed("verify_email_code")
    return lambda: any(verify(who.client, code, email).status == 200 for email in addresses(who))


def registration(who: Someone) -> Attempt:
    register(who.client, REGISTERED, who.email)
    code = who.mailed("verify_email_code")
    return lambda: bool(verify(who.client, code, who.email, password=REGISTERED).document.get("password_set"))


def registration_asked_again(who: Someone) -> Attempt:
    """The registration created the user, who asks for another code after the event."""
    register(who.client, REGISTERED, who.email)
    made_at = Registration.objects.get(user=who.user).created_at
    User.objects.filter(id=who.user.id).update(created_at=made_at)

    def attempt() -> bool:
        who.client.request_otp(who.email, purpose="verify_email")
        with suppress(IndexError):  # nobody is there to be sent one
            return bool(verify(who.client, who.mailed("verify_email_code"), who.email).document.get("password_set"))
        return False

    return attempt


def change_of_address(who: Someone) -> Attempt:
    fresh = f"moving-{who.email}"
    ask(who.client, who.here, fresh)
    code = who.mailed("change_email_code")
    return lambda: confirm(who.client, who.token(), code, fresh).status == 200


def waiting_sign_in(who: Someone) -> Attempt:
    token = challenge(who)

    def attempt() -> bool:
        given = second(who.client, token, "recovery_code", code=who.codes[-1])
        return given.status == 200 or second(who.client, token, "totp", code=who.app.now()).status == 200

    return attempt


def mailed_second_factor(who: Someone) -> Attempt:
    token = challenge(who)
    assert send(who.client, token, "email").status == 200
    code = who.mailed("second_factor_code")
    return lambda: second(who.client, token, "email", code=code).status == 200


def sms_second_factor(who: Someone) -> Attempt:
    token = challenge(who)
    assert send(who.client, token, "sms").status == 200
    code = who.mailed("second_factor_sms")
    return lambda: second(who.client, token, "sms", code=code).status == 200


def passkey_second_factor(who: Someone) -> Attempt:
    token = challenge(who)
    credential = who.device.get(send(who.client, token, "passkey").document)
    return lambda: second(who.client, token, "passkey", credential=credential).status == 200


def passkey_sign_in(who: Someone) -> Attempt:
    options = who.client.before_sign_in("/api/auth/passkey/options", {}).document
    credential = who.device.get(options)
    who.device.count -= 1  # what other events do with it comes before
    document = {"credential": credential}
    return lambda: who.client.before_sign_in("/api/auth/passkey/verify", document).status == 200


def passkey_to_be_enrolled(who: Someone) -> Attempt:
    options = who.client.post("/api/auth/2fa/passkeys/options", {}, token=who.here).document
    document = {"credential": Authenticator().create(options)}
    return lambda: who.client.post("/api/auth/2fa/passkeys", document, token=who.token()).status == 201


def app_to_be_confirmed(who: Someone) -> Attempt:
    secret = who.client.post("/api/auth/2fa/totp", {}, token=who.here).document["secret"]
    document = {"code": pyotp.TOTP(secret).now()}
    return lambda: who.client.post("/api/auth/2fa/totp/confirm", document, token=who.token()).status == 200


def number_to_be_confirmed(who: Someone) -> Attempt:
    who.client.post("/api/auth/2fa/sms", {"phone": OTHER_NUMBER}, token=who.here)
    document = {"code": who.mailed("second_factor_sms")}
    return lambda: who.client.post("/api/auth/2fa/sms/confirm", document, token=who.token()).status == 200


def number_begun_again(who: Someone) -> Attempt:
    """The code from before the event, for the same number begun again afterwards."""
    attempt = number_to_be_confirmed(who)

    def begin_again_and_attempt() -> bool:
        who.client.post("/api/auth/2fa/sms", {"phone": OTHER_NUMBER}, token=who.token())
        return attempt()

    return begin_again_and_attempt


def fresh_proof(who: Someone) -> Attempt:
    assert proving.send(who.client, who.here, "sms").status == 200
    code = who.mailed("second_factor_sms")
    return lambda: proving.prove(who.client, who.here, "sms", code=code).status == 200


def reset_link(who: Someone) -> Attempt:
    token = asked_link(who)
    return lambda: reset(who.client, token, "the password of a thief").status == 200


def undo_link(who: Someone) -> Attempt:
    before = User.objects.get(id=who.user.id).email
    move(who, f"and-away-from-{before}")
    token = undo_token(before)
    return lambda: undo(who.client, token).status == 200


def other_session(who: Someone) -> Attempt:
    pair = factories.session(User.objects.get(id=who.user.id))
    return lambda: who.client.refresh(str(pair.refresh)).status == 200


def remembered_browser(who: Someone) -> Attempt:
    """The authenticator app was given there. Afterwards the password shall be enough."""
    customer, context = factories.state_of(who.user.customer), factories.context()
    pending = PendingSignIn(customer, who.user, FirstFactor.PASSWORD, "hosted", context, passed=("totp",))
    token = remembered_devices.remember(pending)

    def enter(email: str, password: str) -> bool:
        attempt = PasswordSignIn(
            client_customer=customer,
            customer=customer,
            address=emails.parse(email),
            password=password,
            delivery="hosted",
            context=factories.context(),
            device_tokens=(token,),
        )
        with suppress(InvalidCredentials):
            return isinstance(by_password.sign_in(attempt), SignedIn)
        return False

    return lambda: any(enter(email, password) for email in addresses(who) for password in (PASSWORD, FRESH))


def code_for_an_app(who: Someone) -> Attempt:
    client = factories.oauth_client(who.user.customer)[0]
    code = exchanging.code_for(client, who.user, scope="email")
    return lambda: exchanging.exchange(client, code).status == 200


WAYS: dict[str, tuple[Callable[[Someone], Attempt], ...]] = {
    "code to sign in": (sign_in_code,),
    "code to prove the address": (verification_code,),
    "registration that waits for its code": (registration, registration_asked_again),
    "change of address that waits for its code": (change_of_address,),
    "sign-in that waits for a second factor": (waiting_sign_in,),
    "code for it by mail": (mailed_second_factor,),
    "code for it by SMS": (sms_second_factor,),
    "passkey asked for by it": (passkey_second_factor,),
    "passkey asked for alone": (passkey_sign_in,),
    "passkey that is being made": (passkey_to_be_enrolled,),
    "app that waits for its first code": (app_to_be_confirmed,),
    "number that waits for its code": (number_to_be_confirmed, number_begun_again),
    "code for a fresh proof": (fresh_proof,),
    "link to set a password": (reset_link,),
    "link to undo a change of address": (undo_link,),
    "browser that is not asked for the second factor": (remembered_browser,),
    "code for an app": (code_for_an_app,),
    "other sessions": (other_session,),
}


def challenge(who: Someone) -> str:
    return str(login(who.client, email=User.objects.get(id=who.user.id).email).document["session_token"])


def addresses(who: Someone) -> set[str]:
    """The address that the way was begun with, and the present one."""
    present = User.objects.filter(id=who.user.id).values_list("email", flat=True).first()
    return {who.email, present or who.email}


def asked_link(who: Someone) -> str:
    forgot(who.client, User.objects.get(id=who.user.id).email)
    newest = Message.objects.filter(kind="password_reset", user_id=who.user.id).exclude(content="").order_by("-id")[0]
    found = TOKEN.search(outbox.content_of(newest).text)
    assert found
    return found[1]


def move(who: Someone, to: str) -> None:
    assert ask(who.client, who.here, to).status == 202
    assert confirm(who.client, who.here, who.mailed("change_email_code"), to).status == 200


# --- Events -----------------------------------------------------------------------------------------------------


def nothing(_who: Someone) -> None:
    """The control: every way leads in."""


def password_changed(who: Someone) -> None:
    document = {"current_password": PASSWORD, "password": FRESH}
    assert who.client.post("/api/auth/change-password", document, token=who.here).status == 200


def password_reset(who: Someone) -> None:
    assert reset(who.client, asked_link(who)).status == 200


def address_proven(who: Someone) -> None:
    who.client.request_otp(who.email)
    assert who.client.verify_otp(who.email, who.mailed("sign_in_code")).status == 200


def address_changed(who: Someone) -> None:
    move(who, f"moved-{who.email}")


def change_undone(who: Someone) -> None:
    assert undo(who.client, undo_token(f"first-{who.email}")).status == 200


def app_removed(who: Someone) -> None:
    assert who.client.delete("/api/auth/2fa/totp", token=who.here).status == 200


def number_removed(who: Someone) -> None:
    assert who.client.delete("/api/auth/2fa/sms", token=who.here).status == 200


def passkey_removed(who: Someone) -> None:
    assert who.client.delete(f"/api/auth/2fa/passkeys/{who.spare_id}", token=who.here).status == 200


def removed_by_an_operator(who: Someone) -> None:
    customer = factories.state_of(who.user.customer)
    by = Removal(who.user, customer, context=factories.context("operator:o"), may_break_policy=True)
    removal.remove_app(by)


def recovery_codes_removed(who: Someone) -> None:
    assert who.client.delete("/api/auth/2fa/recovery-codes", token=who.here).status == 200


def recovery_codes_renewed(who: Someone) -> None:
    made = who.client.post("/api/auth/2fa/recovery-codes", {}, token=who.here)
    who.codes = made.document["recovery_codes"]


def app_replaced(who: Someone) -> None:
    secret = who.client.post("/api/auth/2fa/totp", {}, token=who.here).document["secret"]
    document = {"code": pyotp.TOTP(secret).now()}
    assert who.client.post("/api/auth/2fa/totp/confirm", document, token=who.here).status == 200


def number_replaced(who: Someone) -> None:
    who.client.post("/api/auth/2fa/sms", {"phone": "+4915112345670"}, token=who.here)
    document = {"code": who.mailed("second_factor_sms")}
    assert who.client.post("/api/auth/2fa/sms/confirm", document, token=who.here).status == 200


def passkey_copied(who: Someone) -> None:
    Passkey.objects.filter(id=who.spare_id).update(sign_count=100)
    options = who.client.before_sign_in("/api/auth/passkey/options", {}).document
    document = {"credential": who.spare.get(options)}
    assert who.client.before_sign_in("/api/auth/passkey/verify", document).error_type == "invalid_passkey"
    assert Passkey.objects.get(id=who.spare_id).suspected_clone_at is not None


def deactivated(who: Someone) -> None:
    """And opened again."""
    acting = factories.context("operator:o")
    deactivation.deactivate(who.user, context=acting)
    lifecycle.reactivate(who.user, context=acting)


def erased(who: Someone) -> None:
    assert who.client.delete("/api/auth/me", token=who.here).status == 200


EVENTS: dict[str, tuple[Callable[[Someone], None], ...]] = {
    "password changed": (password_changed,),
    "password reset": (password_reset,),
    "address proven for the first time": (address_proven,),
    "address changed": (address_changed,),
    "change of address undone": (change_undone,),
    "factor removed or replaced": (
        *(app_removed, number_removed, passkey_removed, removed_by_an_operator, app_replaced, number_replaced),
        *(recovery_codes_removed, recovery_codes_renewed),
    ),
    "passkey found copied": (passkey_copied,),
    "deactivated": (deactivated,),
    "erased": (erased,),
}


# --- The table --------------------------------------------------------------------------------------------------


def table() -> dict[str, dict[str, str]]:
    """What the document says: way → event → cell."""
    section = DOCUMENT.read_text().partition(HEADING)[2].partition("\n## ")[0]
    lines = [line.strip().strip("|") for line in section.splitlines() if line.startswith("|")]
    header, _dashes, *rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    return {row[0]: dict(zip(header[1:], row[1:], strict=True)) for row in rows}


def arranged(of: World, event: str, way: str) -> Someone:
    """A user to whom this event can happen."""
    who = someone(of, proven=event != "address proven for the first time" and not way.startswith("registration"))
    if event == "change of address undone":
        User.objects.filter(id=who.user.id).update(email=f"first-{who.email}", email_identity=f"first-{who.email}")
        who.user.refresh_from_db()
        move(who, who.email)
    return who
