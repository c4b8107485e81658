"""Two tabs: the later save is refused with what has changed meanwhile, and what was typed stays."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User as Operator
from django.core import signing
from django.db.models import Model
from django.test import Client, RequestFactory

from apps.api_keys.models import ApiKey
from apps.customers.models import Customer
from apps.oauth.models import RegisteredClient
from apps.operators.changes.stale_forms import OnceForm, VersionedForm
from apps.users.models import Permission, Role, User
from tests import factories, races
from tests.operators.addresses import MODELS
from tests.operators.pages import customer_form
from tests.operators.pages.customer_form import path_of, shown_form
from tests.operators.saving import opened, save, version_of
from tests.operators.signing_in import operator

pytestmark = pytest.mark.django_db(transaction=True)


def page_of(row: Model) -> str:
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"


def texts_of(form: Any) -> dict[str, list[str]]:
    return {name: list(map(str, texts)) for name, texts in form.errors.items()}


def errors_of(answer: Any) -> dict[str, list[str]]:
    return texts_of(answer.context["adminform"].form)


def test_every_form_of_the_admin_knows_its_version(rf: RequestFactory) -> None:
    """Found by the site, so that no page is forgotten."""
    request = rf.get("/")
    request.user = operator()
    checked = []
    for model in MODELS:
        page = admin.site._registry[model]
        if page.has_change_permission(request):
            assert issubclass(page.get_form(request, model(), change=True), VersionedForm), model
            assert page.change_form_before_template == "operators/form_version.html", model
            checked.append(model)
        if page.has_add_permission(request):
            assert issubclass(page.get_form(request), OnceForm), model
    assert {Customer, User, Role, Permission, RegisteredClient, Operator} <= set(checked)
    assert all(not admin.site._registry[model].list_editable for model in MODELS)


def test_a_stale_form_is_refused_with_what_changed_and_what_was_typed(browser: Client) -> None:
    customer = factories.customer(name="Acme", refresh_grace=10)
    stale = customer_form.opened(browser, customer, "tokens")
    assert customer_form.save(browser, customer, refresh_grace="20 s", sessions_per_user=7).status_code == 302
    refused = browser.post(path_of(customer, "tokens"), {**stale, "refresh_grace": "0.5 min", "access_lifetime": "8 h"})
    assert refused.status_code == 200
    customer.refresh_from_db()
    assert (customer.refresh_grace, customer.sessions_per_user, customer.access_lifetime) == (20, 7, 25200)
    form = shown_form(refused, "tokens")
    errors = texts_of(form)
    assert errors["refresh_grace"] == ["Changed meanwhile, from 10 s to 20 s. You typed what stands here."]
    assert errors["sessions_per_user"] == ["Changed meanwhile, from 20 to 7. Now it shows what is there."]
    assert "access_lifetime" not in errors
    assert "nothing was saved" in errors["__all__"][0]
    assert [form[name].value() for name in ("refresh_grace", "sessions_per_user", "access_lifetime")] == [
        "0.5 min",
        7,
        "8 h",
    ]


def test_a_form_is_stale_by_its_own_fields_alone(browser: Client) -> None:
    """Two operators may work on two parts of a policy, and one may save two parts from one tab."""
    customer = factories.customer(name="Acme")
    stale = customer_form.opened(browser, customer, "tokens")
    assert customer_form.save(browser, customer, code_lifetime="2 min").status_code == 302
    assert browser.post(path_of(customer, "tokens"), {**stale, "access_lifetime": "8 h"}).status_code == 302
    customer.refresh_from_db()
    assert (customer.code_lifetime, customer.access_lifetime) == (120, 28800)


def test_saved_again_it_holds_what_was_seen(browser: Client) -> None:
    """Nothing that the other tab has set is restored to its old value."""
    customer = factories.customer(name="Acme")
    stale = customer_form.opened(browser, customer, "mail")
    customer_form.save(browser, customer, reply_to="help@example.com")
    refused = browser.post(path_of(customer, "mail"), {**stale, "name": "Acme Ltd"})
    again = customer_form.values_of(shown_form(refused, "mail"))
    assert (again["name"], again["reply_to"]) == ("Acme Ltd", "help@example.com")
    assert browser.post(path_of(customer, "mail"), again).status_code == 302
    customer.refresh_from_db()
    assert (customer.name, customer.reply_to) == ("Acme Ltd", "help@example.com")


def test_another_fault_does_not_make_a_stale_form_fresh(browser: Client) -> None:
    customer = factories.customer(name="Acme")
    stale = customer_form.opened(browser, customer, "codes")
    faulty = browser.post(path_of(customer, "codes"), {**stale, "code_length": 99})
    again = customer_form.values_of(shown_form(faulty, "codes"))
    assert again["_version"] == stale["_version"]
    factories.policy(customer, code_lifetime=120)
    refused = browser.post(path_of(customer, "codes"), {**again, "code_length": 6})
    assert "code_lifetime" in texts_of(shown_form(refused, "codes"))


def test_what_both_have_changed_to_the_same_is_no_matter(browser: Client) -> None:
    customer = factories.customer(name="Acme")
    stale = customer_form.opened(browser, customer, "codes")
    customer_form.save(browser, customer, code_lifetime="2 min")
    assert browser.post(path_of(customer, "codes"), {**stale, "code_lifetime": "120"}).status_code == 302


@pytest.mark.parametrize("version", ["", "x", "W10:1:x", "\0"])
def test_a_form_without_a_version_of_ours_is_refused_and_can_be_saved_then(browser: Client, version: str) -> None:
    customer = factories.customer(name="Before")
    form = {**customer_form.opened(browser, customer, "mail"), "name": "After", "_version": version}
    refused = browser.post(path_of(customer, "mail"), form)
    assert "nothing was saved" in texts_of(shown_form(refused, "mail"))["__all__"][0]
    again = customer_form.values_of(shown_form(refused, "mail"))
    assert again["name"] == "After"
    assert browser.post(path_of(customer, "mail"), again).status_code == 302


def stale_saves() -> list[tuple[str, Any]]:
    customer = factories.customer()
    role = factories.role(customer)
    permission = factories.permission(customer, "a.b")
    client, _ = factories.oauth_client(customer)
    user = factories.user(customer)
    other = operator("other@example.com", first_name="Old")
    addresses = {"redirect_uris": factories.REDIRECT_URI, "scopes": ["openid"]}
    names = {"username": "other@example.com", "is_active": "on", "role": "administrator", "reach": "all"}
    return [
        ("description", (role, {}, "new", "mine")),
        ("description", (permission, {}, "new", "mine")),
        ("name", (client, addresses, "new", "mine")),
        ("name", (user, {"role": "company_user", "locale": "en"}, "new", "mine")),
        ("first_name", (other, names, "new", "mine")),
    ]


def test_each_page_refuses_its_stale_form(browser: Client) -> None:
    for name, (row, rest, other, mine) in stale_saves():
        path = page_of(row)
        stale = opened(browser, path)
        assert save(browser, path, {**rest, name: other}).status_code == 302, row
        refused = browser.post(path, {**rest, name: mine, **stale})
        assert (type(row), refused.status_code) == (type(row), 200)
        assert name in errors_of(refused), errors_of(refused)
        row.refresh_from_db()
        assert getattr(row, name) == other


def test_of_many_saves_at_once_one_wins(browser: Client) -> None:
    customer = factories.customer(name="Acme")
    form, cookies = customer_form.opened(browser, customer, "mail"), browser.cookies

    def press(number: int) -> int:
        tab = Client()
        tab.cookies = cookies
        return int(tab.post(path_of(customer, "mail"), {**form, "name": f"Acme {number}"}).status_code)

    assert sorted(races.at_once(6, press)) == [200] * 5 + [302]


def test_a_form_that_adds_adds_once(browser: Client) -> None:
    """A double click, and "back" with a second press."""
    path, customer = "/admin/api_keys/apikey/add/", factories.customer()
    form = {"customer": customer.id, "name": "Web", "environment": "live", "scopes": ["auth"], **opened(browser, path)}
    cookies = browser.cookies

    def press(_number: int) -> int:
        tab = Client()
        tab.cookies = cookies
        return int(tab.post(path, form).status_code)

    assert sorted(races.at_once(5, press)) == [200] * 4 + [302]
    assert ApiKey.objects.of(customer.id).count() == 1
    refused = browser.post(path, form)
    assert "was sent before" in errors_of(refused)["__all__"][0]
    assert version_of(refused.content.decode()) != form["_version"]


def test_a_form_with_a_fault_can_be_sent_again(browser: Client) -> None:
    path, customer = "/admin/api_keys/apikey/add/", factories.customer()
    form = {"customer": customer.id, "name": "", "environment": "live", "scopes": ["auth"], **opened(browser, path)}
    assert browser.post(path, form).status_code == 200
    assert browser.post(path, {**form, "name": "Web"}).status_code == 302


def test_the_version_holds_no_secret(browser: Client) -> None:
    """C2.4.3: of an operator's page neither the password's hash nor anything that the page does not show."""
    other = operator("other@example.com")
    text = str(signing.loads(opened(browser, page_of(other))["_version"], salt="gatehouse/operators/form/v2"))
    assert other.password not in text
    assert not re.search(r"argon2|pbkdf2", text)
