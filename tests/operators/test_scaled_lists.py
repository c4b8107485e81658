"""Lists that scale: what a page costs does not grow with its rows, and no page is found by counting from the first."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client, RequestFactory

from apps.customers.models import Customer
from apps.operators.lists import counts
from apps.operators.lists.scaled_lists import KeysetChangeList, ScaledLists
from apps.users.models import User
from tests import factories
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = sorted(admin.site._registry.values(), key=lambda page: page.opts.label)


def shown(page: str) -> list[str]:
    """The addresses of the rows that a list shows, in their order."""
    rows = page.partition('id="result_list"')[2].partition("</table>")[0]
    return re.findall(r'<th[^>]*><a href="/admin/[^/]+/[^/]+/([^/]+)/change/', rows)


def link(page: str, text: str) -> str | None:
    found = re.search(rf'href="(\?[^"]*)"[^>]*>\s*<span[^>]*>[a-z_]+</span>{text}\s*</a>', page)
    return found and found[1].replace("&amp;", "&")


def read(browser: Client, place: str, query: str = "") -> str:
    answer = browser.get(f"/admin/{place}{query}")
    assert answer.status_code == 200, (place, query)
    return answer.content.decode()


def walk(browser: Client, place: str, text: str, query: str = "") -> Iterator[list[str]]:
    """Page after page, as an operator clicks."""
    step: str | None = query
    while step is not None:
        page = read(browser, place, step)
        yield shown(page)
        step = link(page, text)


def customers(number: int, first: int = 0) -> None:
    rows = [Customer(name=f"Customer {n // 3:04}", slug=f"customer-{n}") for n in range(first, first + number)]
    Customer.objects.bulk_create(rows)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.opts.label)
def test_every_page_of_the_admin_has_such_a_list(page: Any) -> None:
    """Found from the site, so that a new page has one or fails."""
    request = RequestFactory().get("/")
    assert isinstance(page, ScaledLists)
    assert issubclass(page.get_changelist(request), KeysetChangeList)
    assert page.list_per_page <= 25
    assert not page.show_full_result_count
    for name in [*page.ordering, *page.sortable_by]:
        field = page.opts.get_field(name.removeprefix("-"))
        assert not field.null, f"{name}: NULL has no place in an order"
        assert not field.is_relation, f"{name}: an order by another table's column has no index"


def test_a_walk_through_a_list_and_back_meets_each_row_once(browser: Client) -> None:
    """In an order with ties: three customers share each name."""
    customers(80)
    expected = [str(id_) for id_ in Customer.objects.order_by("name", "-pk").values_list("id", flat=True)]
    there = list(walk(browser, "customers/customer/", "Next"))
    assert [id_ for page in there for id_ in page] == expected
    assert [len(page) for page in there] == [25, 25, 25, len(expected) - 75]
    last = link(read(browser, "customers/customer/", after(expected[74])), "Previous")
    assert last is not None
    back = list(walk(browser, "customers/customer/", "Previous", last))
    assert back == [expected[50:75], expected[25:50], expected[:25]]


def after(id_: str) -> str:
    name = Customer.objects.get(id=id_).name
    return f"?after={name.replace(' ', '+')}&after={id_}"


@pytest.mark.parametrize("order", ["?o=1", "?o=-1", "?o=-2", "?o=5", "?o=-5.1", "?q=customer"])
def test_a_chosen_order_and_a_search_go_on_over_the_pages(browser: Client, order: str) -> None:
    customers(60)
    seen = [id_ for page in walk(browser, "customers/customer/", "Next", order) for id_ in page]
    assert len(seen) == len(set(seen)) >= 60


def test_rows_that_come_meanwhile_neither_repeat_nor_hide_one(browser: Client) -> None:
    customer = factories.customer()
    users = [factories.user(customer, f"ada-{n}@example.com") for n in range(40)]
    first = read(browser, "users/user/")
    factories.user(customer, "newcomer@example.com")
    User.objects.filter(id=users[15].id).delete()  # the last row of the first page, which the link names
    second = shown(read(browser, "users/user/", link(first, "Next") or "nowhere"))
    assert second == [str(user.id) for user in users[14::-1]]
    assert not {*second} & {*shown(first)}


@pytest.mark.parametrize(
    "query",
    [
        "?after=",
        "?after=x&after=y",
        "?after=a&after=b&after=c",
        "?before=%00&before=%00",
        "?after=Acme&after=not-a-uuid",
    ],
)
def test_a_place_that_is_none_is_a_wrong_request(browser: Client, query: str) -> None:
    customers(30)
    answer = browser.get(f"/admin/customers/customer/{query}")
    assert answer.status_code in (302, 400)
    assert answer.status_code == 400 or answer["Location"].endswith("?e=1")


def test_beyond_the_last_row_is_the_first_page(browser: Client) -> None:
    customers(30)
    page = read(browser, "customers/customer/", "?after=zzzz&after=01900000-0000-7000-8000-00000000dead")
    assert shown(page) == shown(read(browser, "customers/customer/"))


def test_a_filter_a_search_and_an_order_begin_at_the_first_page(browser: Client) -> None:
    """Else they would begin in the middle, and hide rows."""
    customers(60)
    second = read(browser, "customers/customer/", link(read(browser, "customers/customer/"), "Next") or "nowhere")
    addresses = [
        *re.findall(r'href="(\?[^"]*(?:status|o=)[^"]*)"', second),
        *re.findall(r'<input type="hidden" name="(\w+)"', second),
    ]
    assert addresses
    assert not [address for address in addresses if "after" in address]


def test_only_offered_columns_sort(browser: Client) -> None:
    """`last_sign_in_at` has neither an index nor always a value."""
    customer = factories.customer()
    for n in range(3):
        factories.user(customer, f"ada-{n}@example.com")
    assert shown(read(browser, "users/user/", "?o=5")) == shown(read(browser, "users/user/"))


def test_few_rows_are_counted_and_many_estimated_and_the_page_says_so(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    customers(60)
    total = Customer.objects.count()
    assert f"{total}\n" in count_of(read(browser, "customers/customer/"))
    assert "about" not in count_of(read(browser, "customers/customer/"))
    monkeypatch.setattr(counts, "CHEAP", 0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_customer")
    said = count_of(read(browser, "customers/customer/"))
    assert "about" in said
    assert f"{total}\n" in said
    assert "about" not in count_of(read(browser, "customers/customer/", "?q=customer-59"))


def count_of(page: str) -> str:
    return page.partition('aria-label="Pages"')[2].partition("</nav>")[0]


@pytest.mark.parametrize(("number", "said"), [(0, 0), (999, 999), (12_345, 12_300), (99_951_234, 100_000_000)])
def test_an_estimate_does_not_look_exact(number: int, said: int) -> None:
    assert counts._rounded(number) == said


def test_a_count_of_many_rows_reads_none(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "CHEAP", 0)
    customers(60)
    with counted() as cost:
        read(browser, "customers/customer/")
    assert not [text for text in cost.statements if "COUNT(" in text.upper() and not text.startswith("EXPLAIN")]


def test_choices_of_customers_are_looked_up_and_never_all_read(browser: Client) -> None:
    customers(60)
    for place in ("users/user/", "users/user/add/", "api_keys/apikey/add/", "tokens/session/", "factors/totp/"):
        page = read(browser, place)
        assert "admin-autocomplete" in page, place
        assert "Customer 0010" not in page, place
    found = browser.get(
        "/admin/autocomplete/?app_label=users&model_name=user&field_name=customer&term=customer-5"
    ).json()
    assert len(found["results"]) == 11


def test_a_chosen_customer_filters(browser: Client) -> None:
    one, other = factories.customer(slug="one"), factories.customer(slug="other")
    mine = factories.user(one)
    factories.user(other)
    page = read(browser, "users/user/", f"?customer__id__exact={one.id}")
    assert shown(page) == [str(mine.id)]
    assert f'<option value="{one.id}" selected' in page
