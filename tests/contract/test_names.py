"""Names that somebody types for others to read: one rule at every place that takes one."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.contrib.auth.models import User as Operator
from django.test import Client as Browser

from apps.accounts import importing
from apps.accounts.models import Registration
from apps.api_keys.models import ApiKey
from apps.core.errors import ValidationFailed
from apps.customers import lifecycle as customers
from apps.customers.models import AllowedNetwork, Customer
from apps.factors.models import Passkey
from apps.tokens.models import Session
from apps.users import permission_names, roles
from apps.users.models import User
from demo.client import Answer, Client
from tests import factories
from tests.accounts.registering import register
from tests.conftest import MakeClient
from tests.factors.authenticator import Authenticator
from tests.factors.enrolling import enrol_passkey
from tests.operators.saving import save
from tests.signin.entering import EMAIL, PASSWORD, generous, member

pytestmark = pytest.mark.django_db(transaction=True)
HIDDEN = ["ada\u202eecila", "ad\u200ba", "\u3164", "a\u0007b", "a\u2028b", "a\u200db"]
PERSIAN = "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"
ACTING = factories.context("operator:o", now=factories.timezone.now())


def assert_refused(answer: Answer, name: str) -> None:
    assert (answer.status, answer.error_type) == (400, "validation_error")
    assert list(answer.document["error"]["fields"]) == [name]


@pytest.mark.parametrize("name", HIDDEN)
def test_what_cannot_be_seen_is_refused_wherever_a_client_gives_a_name(client_for: MakeClient, name: str) -> None:
    """C4: names and organisations hold no control, bidirectional-override or invisible characters."""
    customer = generous()
    user = member(customer, "grace@example.com")
    client, token = client_for(customer), factories.session(user).access
    assert_refused(register(client, name=name), "name")
    assert_refused(sign_up(client, name), "organization")
    assert_refused(client.patch("/api/auth/me", {"name": name}, token=token), "name")
    assert_refused(enrol_passkey(client, token, Authenticator(), name=name), "name")
    made = enrol_passkey(client, token, Authenticator()).document["id"]
    assert_refused(client.patch(f"/api/auth/2fa/passkeys/{made}", {"name": name}, token=token), "name")
    assert not Registration.objects.exists()
    assert not Customer.objects.filter(name=name).exists()


def sign_up(client: Client, organization: str) -> Answer:
    document = {"email": EMAIL, "password": PASSWORD, "organization": organization}
    return client.before_sign_in("/api/auth/signup", document)


def test_names_of_any_script_are_kept(client_for: MakeClient) -> None:
    customer = generous()
    client, token = client_for(customer), factories.session(member(customer)).access
    assert (
        client.patch("/api/auth/me", {"name": f" {PERSIAN}\u00a0 \U0001f469\u200d\U0001f4bb "}, token=token).status
        == 200
    )
    assert User.objects.get().name == f"{PERSIAN} \U0001f469\u200d\U0001f4bb"
    assert enrol_passkey(client, token, Authenticator(), name=PERSIAN).document["name"] == PERSIAN
    assert Passkey.objects.get().name == PERSIAN


def test_a_name_of_blanks_is_none_and_length_is_counted_without_them(client_for: MakeClient) -> None:
    customer = generous()
    client, token = client_for(customer), factories.session(member(customer)).access
    made = enrol_passkey(client, token, Authenticator(), name="\u3000").document
    assert made["name"].strip(), "named after the device"
    assert_refused(client.patch(f"/api/auth/2fa/passkeys/{made['id']}", {"name": " \u2003 "}, token=token), "name")
    long = "a" * 200
    assert client.patch("/api/auth/me", {"name": f"   {long}   "}, token=token).status == 200
    assert_refused(client.patch("/api/auth/me", {"name": f"{long}a"}, token=token), "name")


@pytest.mark.parametrize("name", HIDDEN)
def test_nor_do_operators_or_commands_make_one(name: str) -> None:
    customer = factories.customer()
    with pytest.raises(ValidationFailed):
        factories.customer(name=name)
    with pytest.raises(ValidationFailed):
        factories.policy(customer, sender_name=name)
    with pytest.raises(ValidationFailed):
        factories.api_key(customer, name=name)
    with pytest.raises(ValidationFailed):
        roles.create(customer_id=customer.id, name="auditor", permissions=(), description=name, context=ACTING)
    with pytest.raises(ValidationFailed):
        permission_names.create(customer_id=customer.id, name="read", description=name, context=ACTING)
    with pytest.raises(ValidationFailed):
        customers.replace_allowlist(customer=customer, networks={"192.0.2.0/24": name}, context=ACTING)
    with pytest.raises(importing.BadLine, match="name"):
        importing.parse(importing.json.dumps({"email": EMAIL, "name": name}))
    assert not AllowedNetwork.objects.exists()
    assert not ApiKey.objects.exists()


def test_the_admin_says_so(client: Browser) -> None:
    operator = Operator.objects.create_superuser("root", "root@example.com", "a password of an operator")
    client.force_login(operator)
    customer = factories.customer()
    user = factories.user(customer)
    page = save(client, f"/admin/users/user/{user.id}/change/", {"name": "ada\u202e", "role": "company_user"})
    assert page.status_code in (200, 302)
    user.refresh_from_db()
    assert user.name == ""


def test_what_comes_from_a_user_agent_is_cleaned(client_for: MakeClient) -> None:
    """Nobody typed it, so it must not cause a refusal."""
    customer = generous()
    member(customer)
    client = client_for(customer, headers={"User-Agent": "Mozilla\x85/5.0 \xad(X11)"})
    document = {"email": EMAIL, "password": PASSWORD}
    assert client.before_sign_in("/api/auth/login", document).status == 200
    assert Session.objects.get().user_agent == "Mozilla /5.0 (X11)"


@pytest.mark.parametrize(
    ("name", "issuer"),
    [
        ("Acme: Staging", "Acme Staging"),
        ("::", "customer-slug"),
        ("Acme & S\u00f6hne / 50% #1?", "Acme & S\u00f6hne / 50% #1?"),
        ("localhost:8000", "localhost 8000"),
    ],
)
def test_authenticator_apps_read_whose_code_it_is(client_for: MakeClient, name: str, issuer: str) -> None:
    """A colon ends the issuer in the label, encoded or not: FreeOTP and others refuse one with two."""
    customer = generous(name=name, slug="customer-slug")
    client, token = client_for(customer), factories.session(member(customer)).access
    uri = urlsplit(client.post("/api/auth/2fa/totp", {}, token=token).document["uri"])
    assert unquote(uri.path) == f"/{issuer}:{EMAIL}"
    assert parse_qs(uri.query)["issuer"] == [issuer]
