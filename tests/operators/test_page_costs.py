"""What each page of the admin costs, in statements and in bytes: found from the site, and the same with ten times the rows."""

import gzip
from dataclasses import dataclass

import pytest
from django.db.models import Model
from django.test import Client

from apps.operators.models import RoleName
from apps.operators.pages.customers.customer_tabs import TABS
from apps.operators.pages.customers.visit import OVERVIEW
from apps.payloads import service_keys
from tests import factories
from tests.operators import many_rows
from tests.operators.addresses import MODELS, place_of
from tests.operators.limiting import with_role
from tests.operators.pages.customer_form import page_of
from tests.operators.signing_in import signed_in
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)
FEW, MANY = 26, 260  # more than a page has
KIB = 1024
# The session, who asks (with the role and whether there is a second factor), the rows, EXPLAIN, and the count.
OF_A_LIST = 5
MORE_OF_A_LIST = {
    "alerts/alertrule/": 1,  # whether there are any: if not, the usual ones are offered
}
# Of the page of a row: who asks (2), the row, and what stands beside it.
OF_A_ROW = {
    "alerts/alert/": 3,
    "alerts/alertrule/": 3,
    "api_keys/apikey/": 4,
    "approvals/identitycheck/": 9,
    "audit/event/": 3,
    "auth/user/": 11,
    "customers/customer/": 15,
    "factors/passkey/": 5,
    "factors/phone/": 5,
    "factors/recoverycode/": 5,
    "factors/totp/": 5,
    "mail/message/": 4,
    "oauth/registeredclient/": 4,
    "otp/fixedcode/": 4,
    "payloads/servicekeypair/": 3,
    "tokens/session/": 5,
    "users/permission/": 4,
    "users/role/": 5,
    "users/user/": 20,
}
MOST_OF_A_LIST = 12 * KIB  # as it is sent
MOST_OF_A_ROW = 20 * KIB
MOST_PLAIN = 100 * KIB  # before it is compressed


@dataclass(frozen=True)
class Page:
    statements: int
    plain: bytes
    sent: int


@pytest.mark.parametrize("model", MODELS, ids=place_of)
def test_no_page_costs_more_with_ten_times_the_rows(browser: Client, model: type[Model]) -> None:
    place = place_of(model)
    service_keys.pairs()  # else the first look of all makes them
    many_rows.make(model, FEW)
    few, few_beside = read(browser, place), read_a_row(browser, model)
    many_rows.make(model, MANY - FEW)
    many, many_beside = read(browser, place), read_a_row(browser, model)

    expected = OF_A_LIST + MORE_OF_A_LIST.get(place, 0)
    assert (few.statements, many.statements) == (expected, expected)
    assert few.plain.count(b'<tr class="data-row') == many.plain.count(b'<tr class="data-row') == 25
    assert (few_beside.statements, many_beside.statements) == (OF_A_ROW[place], OF_A_ROW[place])
    for before, after, most in ((few, many, MOST_OF_A_LIST), (few_beside, many_beside, MOST_OF_A_ROW)):
        assert after.sent <= before.sent + KIB
        assert after.sent <= most
        assert len(after.plain) <= MOST_PLAIN


def test_no_tab_of_a_customer_is_larger(browser: Client) -> None:
    """The one with the most settings has 82,109 bytes."""
    customer = factories.customer()
    for slug in TABS:
        page = read(browser, page_of(customer, "change" if slug == OVERVIEW else slug).removeprefix("/admin/"))
        assert len(page.plain) <= MOST_PLAIN, slug
        assert page.sent <= MOST_OF_A_LIST, slug


def test_who_is_limited_to_some_customers_asks_no_more() -> None:
    """The session, who asks, and the rows: the customers come with the operator."""
    browser = signed_in(with_role(RoleName.AUDITOR, factories.customer(), factories.customer()))
    read(browser, "customers/customer/")
    assert read(browser, "customers/customer/").statements == 3


def read_a_row(browser: Client, model: type[Model]) -> Page:
    """The second time: a process remembers how its customer stands."""
    row = model._default_manager.order_by("pk").last()
    assert row is not None
    place = f"{place_of(model)}{row.pk}/change/"
    read(browser, place)
    return read(browser, place)


def read(browser: Client, place: str) -> Page:
    with counted() as cost:
        answer = browser.get(f"/admin/{place}", headers={"Accept-Encoding": "gzip"})
    assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "gzip"), place
    return Page(len(cost.statements), gzip.decompress(answer.content), len(answer.content))
