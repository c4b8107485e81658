"""Every field of a customer's policy is checked where it is saved: by the admin, by flows, by commands."""

from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.api_keys.models import ApiKey
from apps.core.errors import ValidationFailed
from apps.core.names import NameField
from apps.customers import state, validation
from apps.customers.models import Customer
from apps.users import lifecycle
from apps.users.models import User
from tests import factories
from tests.conftest import MakeClient

pytestmark = pytest.mark.django_db(transaction=True)

WRONG = {
    "passkey_domain": [
        *("https://shop.example", "shop.example:8443", "shop.example/", "shop", "Shop.example", "münchen.example"),
        *("192.0.2.1", "2001:db8::1", "co.uk", "github.io", "com", ".shop.example", "shop..example", "a_b.example"),
        *("-a.example", f"{'a' * 64}.example", "shop.example\n", " shop.example", "*.shop.example"),
    ],
    "site_domain": ["not a domain!!", "https://shop.example", "shop.example.", "co.uk", "@shop.example", "@", "#1"],
    "default_locale": ["klingon", "e", "de_", "en-US-", "../en", "en\n", "1"],
    "sms_sender": ["###", "Straße", "A" * 12, "+4", "+49 151 2345", "12", "123456789", " Shop", "Shop ", "+49abc"],
    "logo_url": [
        *("http://shop.example/logo.png", "javascript:alert(1)", "ftp://shop.example/x", "//shop.example/x"),
        *("https://user:word@shop.example/logo.png", "logo.png", "data:image/png;base64,AAAA"),
    ],
    "reply_to": [
        "nobody",
        "Shop <help@shop.example>",
        "a@b",
        "help@shop.example\nBcc: x@y.example",
        "a@b.example, c@d.example",
    ],
    "colour": ["red", "#fff", "#12345g", "#1234567"],
    "account_url": ["http://shop.example", "https://shop.example/?x", "https://u@shop.example/"],
    "identity_check_url": ["http://check.example", "nonsense", "file:///etc/passwd"],
    "sms_regions": ["DE", ["de"], ["Germany"], [1], {"DE": 1}],
    "daily_code_quota": [-1, 2**31, "many"],
    "code_alphabet": ["emoji"],
    "second_factor": ["always"],
}
RIGHT = {
    "passkey_domain": ["shop.example", "login.shop.example", "localhost", "xn--mnchen-3ya.example", "a.github.io"],
    "site_domain": ["shop.example", "localhost"],
    "default_locale": ["en", "de", "de-AT"],
    "sms_sender": ["+4915112345678", "Shop", "My Shop 24", "12345", "A1"],
    "logo_url": ["https://cdn.shop.example/logo.png?v=2"],
    "reply_to": ["help@shop.example"],
}


def cases(values: dict[str, list[Any]]) -> list[tuple[str, Any]]:
    return [(name, value) for name, listed in values.items() for value in listed]


@pytest.mark.parametrize(("name", "value"), cases(WRONG))
def test_what_clients_or_mails_could_not_use_is_refused_by_name(name: str, value: Any) -> None:
    customer = factories.customer()
    with pytest.raises(ValidationFailed) as refused:
        factories.policy(customer, **{name: value})
    assert list(refused.value.fields or {}) == [name]
    assert all(str(message) for message in (refused.value.fields or {})[name])
    assert getattr(Customer.objects.get(id=customer.id), name) == getattr(Customer(), name)


@pytest.mark.parametrize(("name", "value"), cases(RIGHT))
def test_what_is_right_is_kept(name: str, value: Any) -> None:
    customer = factories.customer()
    factories.policy(customer, **{name: value})
    assert getattr(state.read(customer.id), name) == value


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("Shop.Example", "shop.example"),
        ("münchen.example", "xn--mnchen-3ya.example"),
        ("straße.example", "xn--strae-oqa.example"),
    ],
)
def test_a_refused_domain_comes_with_the_one_that_was_meant(written: str, right: str) -> None:
    with pytest.raises(ValidationError) as refused:
        validation.validate_domain(written)
    assert right in refused.value.messages[0]


TEXT_FIELDS = [
    field.name
    for field in Customer._meta.get_fields()
    if isinstance(field, models.CharField | models.TextField | models.JSONField)
    and field.editable
    and field.name not in ("slug", "status", "identity_check_secret")
]


@given(name=st.sampled_from(TEXT_FIELDS), value=st.text(max_size=300) | st.lists(st.text(max_size=9), max_size=3))
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_no_value_breaks_the_service(client_for: MakeClient, name: str, value: object) -> None:
    """Either it is refused, or a user can still ask for a code and a passkey."""
    customer = factories.customer()
    try:
        factories.policy(customer, **{name: value})
    except ValidationFailed as refused:
        assert list(refused.fields or {}) == [name]
    client = client_for(customer)
    assert client.request_otp("ada@example.com").status == 200
    assert client.before_sign_in("/api/auth/passkey/options", {}).status == 200


CONFIGURATION = ("customers", "api_keys", "users", "otp")
CHECKED_ELSEWHERE = {
    "customers.Customer.identity_check_secret": "made by us",
    "customers.CustomerDeletion.asked_by": "who acts",
    "customers.CustomerDeletion.progress": "made by us",
    "customers.CustomerDeletion.slug": "copied from the customer",
    "customers.CustomerDeletion.waits_for": "made by us",
    "customers.SigningSecret.fingerprint": "made by us",
    "customers.AllowedNetwork.network": "lifecycle.replace_allowlist: canonical_network",
    "api_keys.ApiKey.scopes": "lifecycle: chosen from Scope",
    "users.User.email": "emails.parse",
    "users.User.phone": "phones.parse",
    "users.User.role": "roles.require_known",
    "users.User.permissions": "permission_names.known",
    "users.Role.permissions": "permission_names.known",
    "otp.FixedCode.email": "emails.parse",
    "otp.FixedCode.code": "fixed_codes.add",
}


def free_texts() -> list[str]:
    """Fields that take any text as far as their model says."""
    return [
        f"{label}.{model.__name__}.{field.name}"
        for label in CONFIGURATION
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.CharField | models.TextField | models.JSONField)
        and field.editable
        and not field.choices
        and not isinstance(field, NameField)
        and not [
            check
            for check in field.validators
            if type(check).__module__ != "django.core.validators" or "Length" not in type(check).__name__
        ]
    ]


def test_every_field_that_is_configuration_is_checked() -> None:
    """A new field that takes anything fails here until somebody says what may be in it."""
    assert sorted(set(free_texts()) - CHECKED_ELSEWHERE.keys()) == []


@pytest.mark.parametrize("facts", [{"name": ""}, {"name": "x" * 201}, {"environment": "prod"}])
def test_an_api_keys_facts_are_checked(facts: dict[str, Any]) -> None:
    customer = factories.customer()
    with pytest.raises(ValidationFailed) as refused:
        factories.api_key(customer, **facts)
    assert list(refused.value.fields or {}) == list(facts)
    assert not ApiKey.objects.exists()


def test_a_command_says_what_is_wrong() -> None:
    customer = factories.customer()
    with pytest.raises(CommandError, match="name"):
        call_command("make_api_key", "--customer", customer.slug, "--name", "x" * 201)


@pytest.mark.parametrize("locale", ["klingon!", "x" * 17, "de\n", "../en"])
def test_a_users_language_is_a_language(locale: str) -> None:
    user = factories.user(factories.customer())
    with pytest.raises(ValidationFailed) as refused:
        lifecycle.change(user, changes={"locale": locale}, context=factories.context("operator:x", now=user.created_at))
    assert list(refused.value.fields or {}) == ["locale"]
    assert User.objects.get(id=user.id).locale == ""
