"""Cursor pages: complete, stable while rows are added, and short enough for every client."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from apps.api import pagination
from apps.api.pagination import ListPage, page
from apps.core import base64url
from apps.core.errors import ValidationFailed
from apps.users.models import User
from tests import factories
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)
LONGEST_ANSWER = 48 * 1024


@pytest.fixture
def users() -> list[User]:
    """Seven users of one customer, newest first, and one of another."""
    mine, other = factories.customer(), factories.customer()
    factories.user(other)
    return [factories.user(mine, f"user{number}@example.com") for number in range(7)][::-1]


def ask(users: list[User], *, text: str = "", **query: Any) -> ListPage:
    request = Request(APIRequestFactory().get("/?" + urlencode(query)))
    rows = User.objects.of(users[0].customer_id)
    return page(rows, request=request, represent=lambda row: {"id": str(row.id), "text": text})


def pages(users: list[User], **query: Any) -> Iterator[ListPage]:
    found = ask(users, **query)
    yield found
    while found.next:
        found = ask(users, cursor=found.next, **query)
        yield found


def ids(found: ListPage) -> list[str]:
    return [row["id"] for row in found.results]


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
def test_the_pages_together_are_all_rows_newest_first(users: list[User], limit: int) -> None:
    found = list(pages(users, limit=limit))
    assert [row for one in found for row in ids(one)] == [str(user.id) for user in users]
    assert all(len(one.results) == limit for one in found[:-1])
    assert found[-1].results


def test_a_page_without_more_has_no_cursor(users: list[User]) -> None:
    assert ask(users).document()["next"] is None


def test_rows_added_while_somebody_reads_change_no_page(users: list[User]) -> None:
    first = ask(users, limit=3)
    factories.user(users[0].customer, "newest@example.com")
    second = ask(users, limit=3, cursor=first.next)
    assert ids(first) + ids(second) == [str(user.id) for user in users[:6]]


def test_a_page_costs_one_statement(users: list[User]) -> None:
    with counted() as cost:
        ask(users, limit=3)
    assert len(cost.statements) == 1


def test_a_cursor_shows_no_other_customers_rows(users: list[User]) -> None:
    """C1.5: the cursor says where to go on, not what may be seen."""
    foreign = User.objects.exclude(customer_id=users[0].customer_id).get()
    cursor = base64url.encode(foreign.id.bytes)
    assert str(foreign.id) not in ids(ask(users, cursor=cursor))


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1e3", "", " 5", "five", "٣", "9" * 5000, "1\0"])
def test_a_wrong_limit_is_refused(users: list[User], limit: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        ask(users, limit=limit)
    assert list(caught.value.fields or {}) == ["limit"]


@pytest.mark.parametrize("cursor", ["x", "é", "AAAA", "A" * 23, "A" * 5000, "=", "\0", "A" * 21 + "!"])
def test_a_cursor_that_is_not_ours_is_refused(users: list[User], cursor: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        ask(users, cursor=cursor)
    assert list(caught.value.fields or {}) == ["cursor"]


@pytest.mark.parametrize("letter", ["x", "ü", "😀", '"'])
def test_an_answer_stays_under_48_kib_however_long_its_rows(users: list[User], letter: str) -> None:
    """C2.2.4: lists are paged."""
    text = letter * (10_000 // len(json.dumps(letter).strip(chr(34))))  # 10,000 bytes as JSON at its longest
    found = list(pages(users, text=text))
    assert len(found) > 1
    for one in found:
        assert len(json.dumps(one.document()).encode()) < LONGEST_ANSWER
        assert len(json.dumps(one.document(), ensure_ascii=False).encode()) < LONGEST_ANSWER
    assert [row for one in found for row in ids(one)] == [str(user.id) for user in users]


def test_a_row_too_long_for_any_page_gets_a_page_of_its_own(users: list[User]) -> None:
    """Better one long page than a list that never ends."""
    found = list(pages(users, text="x" * 60_000))
    assert [len(one.results) for one in found] == [1] * 7


@pytest.mark.parametrize(
    "text", ["0000000015000000", "0000000010", "00000001" + "0" * 5000, "101", "0", "-1", "\u0663", ""]
)
def test_a_limit_above_the_largest_is_refused(text: str) -> None:
    """Leading zeros hide a number of any size; one of 4,301 digits was an error of ours."""
    with pytest.raises(ValidationFailed):
        pagination._size(text)


def test_a_page_is_as_long_as_asked_for() -> None:
    assert (pagination._size(None), pagination._size("1"), pagination._size("007"), pagination._size("100")) == (
        50,
        1,
        7,
        100,
    )
