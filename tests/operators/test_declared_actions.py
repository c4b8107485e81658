"""C8: what holds for every action of the admin. New actions are found and tested by themselves."""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client

from apps.audit.models import Event
from apps.customers.models import Customer
from apps.operators.changes.declared_actions import PageAction
from apps.operators.site import OperatorSite
from tests.operators.addresses import MODELS, place_of
from tests.operators.limiting import give
from tests.operators.signing_in import operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def actions() -> Iterator[tuple[str, str]]:
    """Of every page: "customers/customer/" and "suspend". Pages that a button leads to only show."""
    for model in MODELS:
        for action in admin.site._registry[model]._get_base_actions_detail():
            if not isinstance(action.method.declared, PageAction):
                yield place_of(model), action.path


def kept() -> list[tuple[object, ...]]:
    """Every row of the apps' tables."""
    with connection.cursor() as cursor:
        found = []
        for table in sorted(connection.introspection.table_names(cursor)):
            if not table.startswith(("auth_", "django_")):
                rows = f'string_agg(t::text, chr(10) ORDER BY t::text) FROM "{table}" AS t'
                cursor.execute(f"SELECT {rows}")
                found.append((table, *cursor.fetchone()))
    return found


def test_there_are_actions_to_try() -> None:
    assert len(list(actions())) >= 18
    assert ("customers/customer/", "suspend") in actions()


def test_who_may_only_look_is_refused_every_action_and_offered_none(rows: dict[str, str]) -> None:
    looking = operator("viewer@example.com", is_superuser=False)
    give(looking, Permission.objects.filter(codename__startswith="view_"))
    browser, before = sign_in("viewer@example.com"), Event.objects.count()
    for place, path in actions():
        row = rows.get(place, "x")
        for send in (browser.get, browser.post):
            assert (place, path, send(f"/admin/{place}{row}/{path}/").status_code) == (place, path, 403)
        if place in rows:
            assert f"/{row}/{path}/" not in browser.get(f"/admin/{place}{row}/change/").content.decode()
    assert Event.objects.count() == before


def test_every_action_asks_and_asking_changes_nothing(browser: Client, rows: dict[str, str]) -> None:
    before, asked = kept(), 0
    for place, path in actions():
        if place in rows:
            answer = browser.get(f"/admin/{place}{rows[place]}/{path}/")
            assert (place, path, answer.status_code) == (place, path, 200)
            assert answer.context["explanation"]
            assert str(answer.context["button"]) in answer.content.decode()
            asked += 1
    assert asked >= 12
    assert kept() == before


def test_an_action_on_nothing_leads_to_the_list_and_says_so(browser: Client) -> None:
    for place, path in actions():
        for key in ("x", "01900000-0000-7000-8000-00000000dead"):
            answer = browser.post(f"/admin/{place}{key}/{path}/")
            assert (place, path, answer.headers.get("Location")) == (place, path, f"/admin/{place}")
    assert "There is nothing here." in browser.get("/admin/users/user/").content.decode()


def test_the_site_takes_no_page_whose_changes_would_be_recorded_nowhere() -> None:
    site = OperatorSite()
    site.register(Customer, admin.ModelAdmin)
    assert not site.is_registered(Customer)
    site.register(Customer, type(admin.site._registry[Customer]))
    assert site.is_registered(Customer)
