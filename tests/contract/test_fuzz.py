"""C5: no input yields a 500, and a refused call changes nothing. Schemathesis over the schema, with a client that encrypts."""

from typing import Any

import pytest
from django.db.models import Model
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from apps.accounts.models import EmailChange, Registration, ResetToken
from apps.api_keys.models import ApiKey
from apps.approvals.models import IdentityCheck
from apps.core import prepared
from apps.customers.models import Customer
from apps.factors.models import Passkey, Phone, RecoveryCode, Totp
from apps.files.models import FileUse, StoredObject, UserFile
from apps.mail.models import Message
from apps.oauth.models import AuthorizationCode, RegisteredClient
from apps.signin.models import Challenge, KnownCountry, KnownDevice, Password
from apps.tokens.models import RefreshToken, RevokedToken, Session
from apps.users.models import User
from demo.client import Answer, Client
from tests import factories
from tests.conftest import MakeClient
from tests.contract.operations import OPERATIONS, address, send
from tests.oauth.authorizing import VERIFIER
from tests.signin.entering import EMAIL, PASSWORD, enrol_app, login, member

pytestmark = pytest.mark.django_db(transaction=True)

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(categories=None), max_size=40)  # lone surrogates and NUL among them
    | st.sampled_from([10**400, -1, "x" * 5000, "a@b\0.c", "\ud800", "\uff10\uff11", 2**63]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
RAW = st.sampled_from(
    [
        b"\x00",
        b"[",
        b"[]",
        b"null",
        b'{"a":1,"a":2}',
        b'{"encrypted":true}',
        b'{"encrypted":true,"data":"a.b.c.d.e"}',
        b"[" * 3000,
        b"\xff\xfe",
        b"token=x",
    ]
)
# What a refused call must leave unchanged: all but counts of refusals and times of last use.
WHAT_STAYS: dict[type[Model], set[str]] = {
    Customer: set(),
    ApiKey: {"last_used_at"},
    User: {"wrong_codes", "wrong_second_factors"},
    Password: {"wrong_in_a_row", "locked_until", "lock_told_at", "lock_sandbox_key_id"},
    Totp: set(),
    Phone: set(),
    Passkey: {"last_used_at"},
    RecoveryCode: set(),
    Session: {"last_activity_at", "proofs_tried"},
    RefreshToken: set(),
    RevokedToken: set(),
    Challenge: {"wrong"},
    ResetToken: set(),
    KnownDevice: set(),
    KnownCountry: set(),
    Registration: set(),
    EmailChange: set(),
    IdentityCheck: set(),
    Message: set(),
    RegisteredClient: set(),
    AuthorizationCode: set(),
    UserFile: set(),
    FileUse: set(),
    StoredObject: set(),
}
OF_THE_ACCOUNT = ("User", "Password", "Totp", "Phone", "Passkey", "RecoveryCode")
Rows = dict[str, set[str]]


def all_rows() -> Rows:
    """Every row, as JSON without what may change. One statement, planned once: it is run twice for each thing that is sent."""
    found: Rows = {model.__name__: set() for model in WHAT_STAYS}
    parts, values = [], []
    for model, but in WHAT_STAYS.items():
        assert but <= {field.attname for field in model._meta.concrete_fields}, (
            "a column that is not there is none that may change"
        )
        parts.append(f'SELECT %s::text, (to_jsonb(kept) - %s::text[])::text FROM "{model._meta.db_table}" AS kept')  # noqa: S608  (our own names)
        values += [model.__name__, sorted(but)]
    with prepared.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        for name, row in cursor.fetchall():
            found[name].add(row)
    return found


def changed(before: Rows, after: Rows) -> dict[str, object]:
    """The rows that are not as they were, of each model."""
    return {name: before[name] ^ after[name] for name in before if before[name] != after[name]}


class Trial:
    """A customer whose limits are too high to matter, a user with everything, and its tokens."""

    def __init__(self, client_for: MakeClient) -> None:
        scopes = ["auth", "tokens:introspect", "tokens:revoke", "internal"]
        self.customer = factories.customer(code_resend_after=0, refresh_grace=60)
        of_sign_in = ("codes_per_email", "codes_per_ip", "tries_per_ip", "tries_per_email", "tries_per_email_and_ip")
        others = ("second_factors_per_user", "sms_per_number", "signups_per_ip", "refreshes_per_session")
        factories.first_limits(self.customer, *of_sign_in, *others, count=1_000_000)
        _row, key = factories.api_key(self.customer, scopes=scopes, environment="test")
        self.client: Client = client_for(None, headers={"X-OTP-API-Key": key})
        self.oauth_client, _ = factories.oauth_client(self.customer)
        self.renew()

    def renew(self) -> None:
        """An erased, changed or signed-out account means the call succeeded: go on with another one."""
        User.objects.filter(customer=self.customer).delete()
        self.user = member(self.customer)
        enrol_app(self.user)  # and has recovery codes by it
        self.made = self.account()
        self.sign_in_again()

    def account(self) -> Rows:
        rows = all_rows()
        return {name: rows[name] for name in OF_THE_ACCOUNT}

    def sign_in_again(self) -> None:
        self.token = factories.session(self.user).access
        self.challenge: str = login(self.client).document["session_token"]

    def token_for(self, name: str) -> str:
        """Of an administrator where only they may call; else of the user."""
        if "/api/customer/" not in name:
            return self.token
        admins = User.objects.of(self.customer.id).filter(role="admin")
        return factories.session(
            admins.first() or factories.user(self.customer, "admin@example.com", role="admin")
        ).access

    def go_on_after(self, answer: Answer) -> None:
        """With tokens that are good."""
        if answer.status == 401 or not User.objects.filter(id=self.user.id).exists():
            self.sign_in_again() if self.account() == self.made else self.renew()

    def values(self) -> dict[str, list[object]]:
        """What would be right, field by field."""
        return {
            "email": [EMAIL, "new@example.com"],
            "password": [PASSWORD],
            "current_password": [PASSWORD],
            "session_token": [self.challenge],
            "refresh_token": [factories.session(self.user).refresh],
            "token": [self.token, "x"],
            "otp": ["000000"],
            "code": ["000000"],
            "phone": ["+4915112345678"],
            "method": ["totp", "email", "sms", "passkey", "recovery_code"],
            "credential": [{"id": "x", "response": {"clientDataJSON": "e30"}}],
            "user_id": [str(self.user.id)],
            "grant_type": ["authorization_code", "refresh_token"],
            "client_id": [self.oauth_client.client_id],
            "code_verifier": [VERIFIER],
            "redirect_uris": [[factories.REDIRECT_URI]],
            "purpose": ["identity_document"],
            "size": [1000],
        }


@pytest.fixture
def trial(client_for: MakeClient, settings: object) -> Trial:
    settings.SMS_BACKEND = "apps.mail.sms_transports.Console"  # type: ignore[attr-defined]
    return Trial(client_for)


def documents(name: str, values: dict[str, list[object]]) -> st.SearchStrategy[tuple[Any, Any, Any]]:
    """Path parameters, query and document: as the schema says, as it forbids, with right and with impossible values."""
    operation = OPERATIONS[name]
    cases = st.one_of(
        *(operation.as_strategy(generation_mode=mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE))
    )

    @st.composite
    def mixed(draw: st.DrawFn) -> tuple[Any, Any, Any]:
        case = draw(cases)
        body = case.body if isinstance(case.body, dict | list | str | int | float | bool | bytes) else None
        if name.split(" ", maxsplit=1)[0] in ("GET", "DELETE"):
            return case.path_parameters, case.query, None
        if draw(st.integers(0, 9)) == 5:  # the smallest value is drawn too often
            return case.path_parameters, case.query, draw(RAW)
        if isinstance(body, dict):
            all_are_right = draw(st.booleans())  # as far as can be known: it depends on what a wrong code leads to
            right = {
                field: draw(st.sampled_from(found))
                for field, found in values.items()
                if field in body and (all_are_right or draw(st.booleans()))
            }
            body = {**body, **right}
            if not all_are_right and draw(st.booleans()):
                body[draw(st.sampled_from([*body, "other"]))] = draw(ANYTHING)
        return case.path_parameters, case.query, body

    return mixed()


def require_the_one_form(answer: Answer) -> None:
    assert answer.status < 500 or answer.error_type == "sms_unavailable", (
        answer.call,
        answer.sent_document,
        answer.document,
    )
    if answer.status >= 400 and isinstance(answer.document["error"], str):  # OAuth's form
        assert set(answer.document) == {"error", "error_description", "request_id"}
    elif answer.status >= 400:
        error = answer.document["error"]
        assert {"code", "type", "message", "timestamp", "request_id"} <= error.keys()
        assert error["code"] == answer.status
        assert answer.status != 429 or {"retry_after", "limit"} <= error.keys()


def examples(name: str) -> int:
    """As many as there is to vary: a body; a path or a query; or nothing but a body that is not read."""
    method, path = name.split(" ")
    raw = OPERATIONS[name].definition.raw
    if "requestBody" in raw:
        return 14
    return 7 if "{" in path or raw.get("parameters") or method not in ("GET", "DELETE") else 2


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_whatever_is_sent(trial: Trial, name: str) -> None:
    @settings(
        max_examples=examples(name),
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(sent=documents(name, trial.values()))
    def once(sent: tuple[Any, Any, Any]) -> None:
        path_parameters, query, document = sent
        token = trial.token_for(name)
        Session.objects.update(proofs_tried=0)  # else the session ends, a change that a refusal is allowed to make
        before = all_rows()
        answer = send(trial.client, name, address(name, path_parameters, query), document, token=token)
        require_the_one_form(answer)
        if answer.status >= 400:
            assert changed(before, all_rows()) == {}, (answer.call, document, answer.document)
        trial.go_on_after(answer)

    once()
