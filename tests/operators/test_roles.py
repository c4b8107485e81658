"""Roles: what each may do, which rows it may do it to, and that what is taken away counts at once."""

import hashlib
import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.alerts import telling
from apps.alerts.models import Alert, AlertKind, AlertRule
from apps.approvals import approval_queue
from apps.approvals.models import IdentityCheck
from apps.customers.models import Customer
from apps.mail import outbox
from apps.mail.models import Message
from apps.operators.models import OperatorRole, RoleName
from apps.operators.team import roles, scope
from apps.payloads import service_keys
from apps.tokens.models import Session
from apps.users.models import User as EndUser
from tests import factories
from tests.operators import of_everything
from tests.operators.addresses import ENDS_THE_SESSION, MODELS, actions_of, path_of, place_of, routes
from tests.operators.limiting import give, with_role
from tests.operators.signing_in import operator, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
# What an auditor's own requests leave behind: that they were made, and what they exported or verified.
TRACES = {"audit", "sessions", "operators"}


@pytest.fixture
def koala() -> Customer:
    return of_everything.furnish("koala")


def row_of(model: Any, customer: Customer) -> Any:
    return model.objects.of(customer.pk).order_by("pk").first()


def digests() -> dict[str, str]:
    """Of all rows of each table, as PostgreSQL writes them."""
    tables = [model._meta for model in apps.get_models() if model._meta.app_label not in TRACES]
    with connection.cursor() as cursor:
        found = {}
        for opts in tables:
            cursor.execute(f"SELECT t::text FROM {opts.db_table} AS t ORDER BY 1")  # noqa: S608  (our own names)
            found[opts.db_table] = hashlib.sha256(repr(cursor.fetchall()).encode()).hexdigest()
    return found


def test_an_auditor_reads_every_page_and_no_post_changes_a_row(koala: Customer) -> None:
    service_keys.pairs()
    browser, before = signed_in(with_role(RoleName.AUDITOR, unlimited=True)), digests()
    for model in MODELS:
        row = model._default_manager.order_by("pk").first()
        assert row is not None, model
        assert browser.get(f"/admin/{place_of(model)}").status_code == 200, model
        assert browser.get(f"/admin/{place_of(model)}{row.pk}/change/").status_code == 200, model
    for path in ("audit/event/verification/", "why-refused/", ""):
        assert browser.get(f"/admin/{path}").status_code == 200, path
    assert browser.post("/admin/audit/event/export/", {"format": "csv"}).status_code == 200
    for path, data in posts():
        browser.post(path, data)
    assert digests() == before


def posts() -> Any:
    """Every address with the key of a row, and every action with all rows."""
    answers = {
        "confirmed": "yes",
        "post": "yes",
        "reason": "because",
        "hours": "1",
        "what": "sign_in_code",
        "name": "x",
    }
    for route in routes():
        model = next((model for model in MODELS if route.startswith(place_of(model))), None)
        row = model._default_manager.order_by("pk").first() if model else None
        if not route.startswith((ENDS_THE_SESSION, "password_change", "second-factor")):
            yield path_of(route, str(row.pk) if row else "x"), answers
    for model in MODELS:
        keys = [str(row.pk) for row in model._default_manager.all()[:5]]
        for name in actions_of(model):
            chosen = {"action": name, "_selected_action": keys, "select_across": "1"}
            yield f"/admin/{place_of(model)}", {**answers, **chosen}


SUPPORT_MAY = ("users/user/{user}/send/", "users/user/{user}/end-sessions/", "users/user/{user}/clear-locks/")
SUPPORT_MAY_NOT = (
    *("customers/customer/{customer}/change/", "customers/customer/", "api_keys/apikey/", "oauth/registeredclient/"),
    *(
        "users/user/add/",
        "users/user/{user}/erase/",
        "users/user/{user}/change-address/",
        "users/user/{user}/deactivate/",
    ),
    *("users/user/{user}/prove-address/", "otp/fixedcode/", "payloads/servicekeypair/", "auth/user/", "users/role/"),
    *("alerts/alertrule/", "audit/event/verification/", "factors/passkey/{passkey}/remove/"),
)


def test_support_helps_users_and_sees_no_policy_secret_or_operator(koala: Customer) -> None:
    browser = signed_in(with_role(RoleName.SUPPORT, koala))
    passkey = row_of(apps.get_model("factors", "Passkey"), koala)
    keys = {"user": row_of(EndUser, koala).pk, "customer": koala.pk, "passkey": passkey.pk}
    for path in SUPPORT_MAY:
        assert browser.get("/admin/" + path.format(**keys)).status_code == 200, path
    for path in SUPPORT_MAY_NOT:
        assert browser.get("/admin/" + path.format(**keys)).status_code == 403, path
        assert browser.post("/admin/" + path.format(**keys)).status_code == 403, path
    check = IdentityCheck.objects.get()
    assert browser.post(f"/admin/approvals/identitycheck/{check.pk}/approve/").status_code == 302
    assert IdentityCheck.objects.get().state == "approved"
    assert browser.post(f"/admin/users/user/{keys['user']}/end-sessions/").status_code == 302
    assert not Session.objects.filter(ended_at=None).exists()
    page = browser.get(f"/admin/users/user/{keys['user']}/change/").content.decode()
    assert 'name="_save"' not in page


def test_support_finds_a_customer_by_name_to_narrow_a_list_by(koala: Customer) -> None:
    of_everything.furnish("zebrafinch")
    browser = signed_in(with_role(RoleName.SUPPORT, koala))
    asked = {"app_label": "users", "model_name": "user", "field_name": "customer", "term": ""}
    assert browser.get("/admin/autocomplete/", asked).json()["results"] == [{"id": str(koala.pk), "text": koala.name}]


def test_what_is_taken_away_counts_at_once_in_an_open_session(koala: Customer) -> None:
    who = with_role(RoleName.ADMINISTRATOR, koala)
    browser, page = signed_in(who), f"/admin/customers/customer/{koala.pk}/change/"
    assert browser.get(page).status_code == 200
    roles.assign(who, RoleName.ADMINISTRATOR, [factories.customer()])
    assert browser.get(page).status_code == 302, "there is nothing here"
    roles.assign(who, RoleName.SUPPORT, [koala])
    assert browser.get(page).status_code == 403


def test_the_menu_names_what_the_operator_may_see_now(koala: Customer) -> None:
    """Its text is kept, and never for other rights."""
    who = with_role(RoleName.ADMINISTRATOR, koala)
    browser, others = signed_in(who), signed_in(operator())
    assert named_in_menu(browser) >= {"/admin/customers/customer/", "/admin/users/user/"}
    assert "/admin/auth/user/" in named_in_menu(others)
    roles.assign(who, RoleName.SUPPORT, [koala])
    assert "/admin/customers/customer/" not in named_in_menu(browser)
    assert "/admin/users/user/" in named_in_menu(browser)
    assert "/admin/auth/user/" in named_in_menu(others)
    OperatorRole.objects.all().delete()
    assert named_in_menu(browser) == {"/admin/"}


def named_in_menu(browser: Client) -> set[str]:
    page = browser.get("/admin/").content.decode()
    menu = page[page.index('id="nav-sidebar-apps"') : page.index('id="account-links"')]
    return set(re.findall(r'href="([^"]+)"', menu))


def test_who_is_limited_to_a_customer_that_is_gone_sees_nothing() -> None:
    """And not everything, as an empty list of limits would say."""
    gone, left = factories.customer(), factories.customer()
    who = with_role(RoleName.ADMINISTRATOR, gone)
    Customer.objects.filter(pk=gone.pk).delete()
    who = User.objects.get(pk=who.pk)
    assert not scope.of_operator(who).is_everything
    assert scope.of_operator(who).narrow(Customer.objects.all()).count() == 0
    assert signed_in(who).get(f"/admin/customers/customer/{left.pk}/change/").status_code == 302


def test_an_administrator_with_limits_is_no_superuser(koala: Customer) -> None:
    boss = operator()
    who = with_role(RoleName.ADMINISTRATOR, koala)
    assert not who.is_superuser
    assert not who.has_perm("auth.change_user")
    assert not who.has_perm("customers.add_customer")
    assert who.has_perm("customers.change_customer", koala)
    assert not who.has_perm("customers.change_customer", factories.customer())
    roles.assign(who, RoleName.ADMINISTRATOR, None)
    roles.assign(boss, RoleName.AUDITOR, None)
    assert User.objects.get(pk=who.pk).is_superuser
    assert not User.objects.get(pk=boss.pk).is_superuser


def test_a_role_says_all_there_is() -> None:
    """What was given before, permission by permission, does not stay beneath it."""
    who = operator("clerk@example.com", is_superuser=False)
    who.user_permissions.set(Permission.objects.all())
    roles.assign(who, RoleName.AUDITOR, None)
    assert not User.objects.get(pk=who.pk).has_perm("customers.change_customer")
    assert not who.user_permissions.exists()


def without_role() -> User:
    return operator("new@example.com", is_superuser=False)


def with_every_right() -> User:
    """As scripts of the time before roles made them."""
    row = without_role()
    row.user_permissions.set(Permission.objects.all())
    return row


def in_a_group_with_every_right() -> User:
    row, group = without_role(), Group.objects.create(name="staff")
    group.permissions.set(Permission.objects.all())
    row.groups.add(group)
    return row


def test_operators_without_a_role_see_and_may_do_nothing(koala: Customer) -> None:
    """Whatever Django's own tables give: rights that name no customers reach none."""
    for make in (without_role, with_every_right, in_a_group_with_every_right):
        row = make()
        check_that_nothing_is_seen(User.objects.get(pk=row.pk), koala)
        row.delete()


def check_that_nothing_is_seen(who: User, koala: Customer) -> None:
    assert not who.get_all_permissions()
    assert not who.has_perm("customers.add_customer")
    assert not scope.of_operator(who).narrow(Customer.objects.all()).exists()
    browser = signed_in(who)
    first = browser.get("/admin/")
    assert first.status_code == 200
    assert koala.name not in first.content.decode()
    assert koala.name not in browser.get("/admin/search/", {"s": koala.name, "extended": "1"}).content.decode()
    for model in MODELS:
        assert browser.get(f"/admin/{place_of(model)}").status_code == 403
        assert browser.get(f"/admin/{place_of(model)}add/").status_code == 403


def test_rights_one_by_one_reach_the_customers_of_their_row(koala: Customer) -> None:
    zebra = factories.customer(name="Zebra")
    give(row := without_role(), Permission.objects.filter(content_type__model="user", codename="view_user"), [koala])
    who = User.objects.get(pk=row.pk)
    mine, other = factories.user(koala, "mine@example.com"), factories.user(zebra, "other@example.com")
    assert who.has_perm("users.view_user")
    assert (who.has_perm("users.view_user", mine), who.has_perm("users.view_user", other)) == (True, False)
    page = signed_in(who).get("/admin/users/user/").content.decode()
    assert ("mine@example.com" in page, "other@example.com" in page) == (True, False)


def test_mails_tell_operators_of_their_own_customers_alone(koala: Customer) -> None:
    """Of users who wait, and of alerts."""
    zebra = of_everything.furnish("zebrafinch")
    with_role(RoleName.ADMINISTRATOR, koala, name="koala-admin@example.com")
    operator("boss@example.com")
    assert approval_queue.tell_operators(now=factories.context().now) == 2
    AlertRule.objects.update(recipients="")
    telling.tell(list(Alert.objects.select_related("rule__customer")), now=factories.context().now)
    told = {name: texts_to(name) for name in ("koala-admin@example.com", "boss@example.com")}
    assert [len(texts) for texts in told.values()] == [2, 2]
    assert "zebrafinch" in "".join(told["boss@example.com"])
    assert "koala" in "".join(told["koala-admin@example.com"])
    assert "zebrafinch" not in "".join(told["koala-admin@example.com"])
    assert zebra.pk != koala.pk


def texts_to(address: str) -> list[str]:
    contents = [outbox.content_of(message) for message in Message.objects.filter(recipient=address)]
    return [content.text for content in contents if content]


def test_a_rule_of_who_is_limited_names_a_customer(koala: Customer) -> None:
    browser = signed_in(with_role(RoleName.ADMINISTRATOR, koala))
    form = {"customer": "", "kind": AlertKind.FAILURES, "threshold": "5", "is_active": "on", "recipients": ""}
    before = AlertRule.objects.count()
    assert browser.post("/admin/alerts/alertrule/add/", form).status_code == 200
    assert browser.post("/admin/alerts/alertrule/add-usual/").status_code == 403
    assert AlertRule.objects.count() == before
    assert browser.post("/admin/alerts/alertrule/add/", {**form, "customer": str(koala.pk)}).status_code == 302


def test_the_queries_of_a_limited_operators_page_do_not_grow_with_its_rows(koala: Customer) -> None:
    """One more than an administrator's: the customers it is limited to."""
    more = [factories.customer() for _ in range(3)]
    browser = signed_in(with_role(RoleName.ADMINISTRATOR, koala, *more))
    paths = ("users/user/", "audit/event/", "tokens/session/", "customers/customer/", "")
    first = {path: count(browser, path) for path in paths}
    for customer in more:
        for number in range(4):
            factories.session(factories.user(customer, f"user{number}@example.com"))
    assert {path: count(browser, path) for path in paths} == first
    boss = signed_in(operator())
    for path in paths:
        assert first[path] - count(boss, path) <= 2, "the limits; and the overview asks which customers there are"


def count(browser: Client, path: str) -> int:
    browser.get(f"/admin/{path}")
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert browser.get(f"/admin/{path}").status_code == 200
    return len(found)
