"""Headers that many answers bear, added all together."""

import pytest
from django.http import HttpResponse
from django.http.response import BadHeaderError

from apps.core.response_headers import complete, prepared, vary_on


def test_what_an_answer_has_is_kept_and_the_rest_is_added() -> None:
    answer = HttpResponse(headers={"cache-control": "public", "X-Own": "1"})
    complete(answer, prepared({"Cache-Control": "no-store", "X-Added": "2"}))
    assert (answer["Cache-Control"], answer["X-Own"], answer["x-added"]) == ("public", "1", "2")
    other = HttpResponse()
    complete(other, prepared({"Cache-Control": "no-store"}))
    other["Cache-Control"] = "private"
    assert answer["Cache-Control"] == "public"


def test_what_is_prepared_does_not_change() -> None:
    constant = prepared({"X-Added": "2"})
    for _ in range(2):
        answer = HttpResponse()
        complete(answer, constant)
        assert answer["X-Added"] == "2"
        answer["X-Added"] = "3"


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x=1", "a\nb"])
def test_a_header_that_would_split_the_answer_is_not_prepared(value: str) -> None:
    with pytest.raises(BadHeaderError):
        prepared({"X-Added": value})


@pytest.mark.parametrize(
    ("said", "then"),
    [
        (None, "Accept"),
        ("origin", "origin, Accept"),
        ("Accept-Language, X-Accept", "Accept-Language, X-Accept, Accept"),
        ("origin,accept", "origin,accept"),
        ("*", "*"),
    ],
)
def test_an_answer_varies_on_each_header_once(said: str | None, then: str) -> None:
    answer = HttpResponse(headers={"Vary": said} if said else {})
    vary_on(answer, "Accept")
    assert answer["Vary"] == then
