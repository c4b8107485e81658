"""C5: no address, query, method or form yields a 500 in the admin, and what is wrong is said in the admin's own clothes.

Every address is found from the site's URL map: a new page is tried without being named here. Each gets a few of the hostile
values, in turn, so that every value reaches some page, and most kinds of page see most values.
"""

from collections.abc import Iterator
from itertools import cycle, islice

import pytest
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client

from tests.operators.addresses import ENDS_THE_SESSION, MODELS, path_of, place_of, routes
from tests.operators.signing_in import operator, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

HOSTILE = [
    "",
    "abc",
    "-1",
    "0",
    "99999999999999999999999",
    "1e999",
    "\x00",
    "%",
    "'\"<>",
    "x" * 3000,
    "\u202e\x00\ud800",
    "NaN",
    "None",
    "2026-13-45",
    "9999-12-31T23:59:60Z",
    "not-a-uuid",
    "a,b",
    "[]",
    "../../etc/passwd",
    "password",
    "\u0661\u0662",
    "_2F",
    "_zz",
]
LOOKUPS = [
    "",
    "__exact",
    "__in",
    "__gte",
    "__year",
    "__isnull",
    "__regex",
    "__range",
    "__contains",
    "__has_key",
    "__nonsense",
    "__date__week_day",
    "__",
]
CONTROL = ["o", "p", "e", "q", "all", "_facets", "_popup", "_to_field", "_changelist_filters", "next", "term"]
METHODS = ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"]
FORM = "application/x-www-form-urlencoded"
BODIES: list[tuple[str, bytes]] = [
    (FORM, b""),
    (FORM, b"\xff\xfe=\xff&a=%ff%00"),
    (FORM, b"action=delete_selected"),
    (FORM, b"action=nonsense&_selected_action=1"),
    (FORM, b"action=delete_selected&_selected_action=x&_selected_action=%00&post=yes"),
    (FORM, b"action=delete_selected&_selected_action=99999999999999999999&index=-1"),
    (FORM, b"action=delete_selected&index=x&select_across=9&_selected_action=1"),
    (FORM, b"action=end_selected&_selected_action=x&confirmed=yes"),
    (FORM, b"_save=1&form-TOTAL_FORMS=x&form-INITIAL_FORMS=-1"),
    (FORM, b"_popup=1&_to_field=password&_saveasnew=1&_continue=1"),
    (FORM, b"customer=99999999999999999999&user=not-a-uuid&email=%00&hours=1e9&code=%00"),
    (FORM, b"&".join(b"a%d=1" % number for number in range(1500))),
    (FORM, b"a=" + b"x" * 300_000),
    ("application/json", b'{"a": 1}'),
    ("multipart/form-data; boundary=x", b"--x\r\nnonsense"),
    ("multipart/form-data", b"--x"),
    ("text/plain; charset=nonsense", b"x"),
    (f"{FORM}; charset=utf-16", b"a=1"),
]


@pytest.fixture
def browser() -> Client:
    inside = signed_in(operator())
    inside.raise_request_exception = False
    return inside


def fault_of(answer: HttpResponse) -> str:
    """Empty for a page, a redirect, or an answer without a body; a 500 and the API's JSON are faults."""
    said = f"{answer.status_code} {answer.headers.get('Content-Type')} {answer.content[:200]!r}"
    if answer.status_code >= 500:
        return said
    dressed = b"</html>" in answer.content or answer.status_code < 400 or not answer.content
    return "" if dressed else said


def encoded(query: dict[str, str]) -> dict[str, bytes]:
    return {name: value.encode("utf-8", "surrogatepass") for name, value in query.items()}


def queries(model: type[Model]) -> Iterator[dict[str, str]]:
    """Control parameters, own columns and a few across relations, with values that do not belong there: others for each model."""
    own = [field.name for field in model._meta.get_fields()]
    across = [
        f"{field.name}__{other.name}"
        for field in model._meta.get_fields()
        if field.is_relation and field.related_model
        for other in field.related_model._meta.get_fields()  # type: ignore[union-attr]
    ]
    start = MODELS.index(model)
    values = islice(cycle(HOSTILE), start, None)
    lookups = islice(cycle(LOOKUPS), start, None)
    yield from ({name: next(values)} for name in CONTROL[start % 2 :: 2])
    yield from ({name + next(lookups): next(values)} for name in [*own, *across[start % 10 :: 10]])


def test_every_list_bears_any_query(browser: Client, rows: dict[str, str]) -> None:
    asked = [(place_of(model), query) for model in MODELS for query in queries(model)]
    found = [(place, query, fault_of(browser.get(f"/admin/{place}", encoded(query)))) for place, query in asked]
    assert [each for each in found if each[-1]] == []


def app_of(route: str) -> str:
    """The app of whose models this is a page; of the site itself are some thirty pages."""
    app = route.partition("/")[0]
    return app if app in APPS else "site"


APPS = {model._meta.app_label for model in MODELS}


@pytest.mark.parametrize("app", sorted(set(map(app_of, routes()))))
def test_a_page_bears_any_id_query_method_and_form(browser: Client, rows: dict[str, str], app: str) -> None:
    faults = []
    for number, route in enumerate(routes()):
        if app_of(route) != app or route == ENDS_THE_SESSION:
            continue
        row = next((found for place, found in rows.items() if route.startswith(place)), "x")
        for what, answer in tried(browser, route, row, number):
            if fault := fault_of(answer):
                faults.append((route, what, fault))
    assert faults == []


def tried(browser: Client, route: str, row: str, number: int) -> Iterator[tuple[object, HttpResponse]]:
    """An id, a method or a query, and a form: other ones for each number."""
    path = path_of(route, row)
    if "<" in route:
        value = HOSTILE[number % len(HOSTILE)]
        yield value, browser.get(path_of(route, value))
    if number % 2:
        method = METHODS[number // 2 % len(METHODS)]
        yield method, browser.generic(method, path)
    else:
        query = {CONTROL[number % len(CONTROL)]: HOSTILE[number % len(HOSTILE)]}
        yield query, browser.get(path, encoded(query))
    content_type, body = BODIES[number % len(BODIES)]
    yield (content_type, body[:80]), browser.generic("POST", path, body, content_type)


def test_a_selection_of_what_can_be_no_key_is_a_wrong_request(browser: Client) -> None:
    for model in MODELS:
        form = {"action": "delete_selected", "post": "yes", "_selected_action": ["x", "\u0661-"]}
        answer = browser.post(f"/admin/{place_of(model)}", form)
        assert (model, fault_of(answer)) == (model, "")
        assert model.__module__.startswith("apps.") or answer.status_code == 400, (
            "keys of operators and groups are numbers"
        )


HIDDEN = [
    "auth/user/?password__startswith=argon2",
    "auth/user/?user_permissions__codename=x",
    "api_keys/apikey/?digest__startswith=a",
    "factors/totp/?secret__startswith=a",
    "factors/phone/?number__contains=49",
    "factors/recoverycode/?digest=a",
    "payloads/servicekeypair/?private_jwk__startswith=a",
    "users/user/?password__hash__startswith=argon2",
    "users/user/?customer__signing_secrets__access_secret__startswith=a",
    "tokens/session/?user__password__hash__startswith=a",
    "mail/message/?content__contains=a",
    "users/user/?_to_field=phone_factor",
    "auth/user/?_to_field=password",
]


def test_no_query_asks_about_a_column_that_the_pages_do_not_show(browser: Client) -> None:
    """Else the number of rows found would reveal the value letter by letter."""
    answers = {address: browser.get(f"/admin/{address}") for address in HIDDEN}
    heard = {address: answer.status_code for address, answer in answers.items() if answer.status_code != 400}
    assert heard == {}
    assert all(b"</html>" in answer.content for answer in answers.values())


SHOWN = [
    "users/user/?status__exact=active&q=ada&o=-1&p=1",
    "audit/event/?severity__exact=high",
    "audit/event/?user_id=01900000-0000-7000-8000-00000000dead",
    "audit/event/?at__year=2026&at__month=11",
    "mail/message/?state__exact=failed",
    "approvals/identitycheck/?state__exact=waiting",
    "factors/totp/?user__customer__id__exact=01900000-0000-7000-8000-00000000dead",
    "auth/user/?is_active__exact=1",
]


def test_what_the_pages_link_to_works(browser: Client) -> None:
    assert {address: browser.get(f"/admin/{address}").status_code for address in SHOWN} == dict.fromkeys(SHOWN, 200)


def test_a_form_from_elsewhere_is_refused_by_a_page(browser: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/admin/login/", {"username": "x", "password": "y"})
    assert answer.status_code == 403
    assert "This form is no longer valid" in answer.content.decode()


def test_the_api_goes_on_saying_it_in_json() -> None:
    answer = Client().get("/api/nothing/here")
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "not_found"
