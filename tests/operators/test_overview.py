"""The first page says what needs doing and what happened; each figure leads to exactly the rows that it counts."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client, RequestFactory
from django.utils import timezone, translation

from apps.audit import actions
from apps.audit.models import Severity
from apps.core.ids import new_id
from apps.customers.models import DEFAULT_CUSTOMER_ID, Customer
from apps.customers.operator_mails import OperatorMail
from apps.figures import counting
from apps.figures.models import EVERYONE, FigureKind
from apps.mail.models import Message, MessageState
from apps.operators.lists.figure_rows import Rows
from apps.operators.models import RoleName
from apps.operators.overview import names, plots, todo
from apps.operators.overview.tiles import Shown
from tests import factories
from tests.conftest import MakeClient
from tests.figures import happening
from tests.mail import posting
from tests.operators.limiting import give, with_role
from tests.operators.signing_in import operator, sign_in, signed_in
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
TILES = {
    FigureKind.CODE_SENT: "view_message",
    FigureKind.CODE_REDEEMED: "view_message",
    FigureKind.MAIL_TIME: "view_message",
    FigureKind.SIGN_IN: "view_event",
    FigureKind.FAILURE: "view_event",
    FigureKind.SECURITY: "view_event",
    FigureKind.SESSION: "view_session",
    FigureKind.MAIL_WAITING: "view_message",
    FigureKind.MAIL_FAILED: "view_message",
}
QUERIES = 12  # of the page, the operator's session and permissions included
MOST_BYTES = 100 * 1024


@pytest.fixture(autouse=True)
def kept_for_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting each hour of five weeks takes a while."""
    monkeypatch.setattr(counting, "KEPT", timedelta(hours=3))


@pytest.fixture
def browser() -> Client:
    return signed_in(operator())


def clerk(*rights: str, name: str = "clerk@example.com") -> Client:
    """Signed in, with these rights in Gatehouse's own apps."""
    row = operator(name, is_superuser=False)
    mine = Permission.objects.filter(codename__in=rights).exclude(content_type__app_label="auth")
    give(row, mine)
    return sign_in(name)


def overview(browser: Client, **query: object) -> dict[str, Any]:
    page = browser.get("/admin/", query)
    assert page.status_code == 200
    return page.context  # type: ignore[return-value]


def tiles(context: dict[str, Any]) -> dict[str, str]:
    return {tile.kind: tile.value for tile in context["tiles"]}


def happen(customer: Customer) -> None:
    """Something of every kind, today and before."""
    now = timezone.now()
    user = factories.user(customer, f"{new_id()}@example.com")
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)  # a minute ago may have been yesterday
    for at in (max(now - MINUTE, today), max(now - 2 * MINUTE, today), now - 2 * DAY, now - 12 * DAY):
        happening.sign_in(customer.id, at)
        happening.sign_in(customer.id, at, "passkey")
        happening.failure(customer.id, at)
        happening.failure(customer.id, at, actions.ADDRESS_REFUSED, severity=Severity.MEDIUM, rule="allowlist")
        happening.failure(customer.id, at, actions.CODE_GUESSING, severity=Severity.HIGH)
        happening.code(customer.id, at, used=True)
        happening.code(customer.id, at)
        happening.code(customer.id, at, took=None)
        happening.code(customer.id, at, took=None, state=MessageState.FAILED)
        happening.code(customer.id, at, took=None, state=MessageState.SUPPRESSED)
    factories.session(user)
    factories.session(user, now=now - 90 * DAY)  # expired
    for at in (now, now - 2 * DAY, now - 12 * DAY):
        for hours in (-1, 0):  # what is a minute ago may be of the hour before
            for counter in counting.COUNTERS if at == now else past_counters():
                counting.count(counter, hour=counting.beginning_of_hour(at) + hours * counting.HOUR, now=timezone.now())


def past_counters() -> tuple[Any, ...]:
    """Those that count what was, too."""
    return tuple(counter for counter in counting.COUNTERS if not counter.only_now)


def figures_with_lists(context: dict[str, Any]) -> Iterator[tuple[str, int, str]]:
    """Each figure of the page: what it is, how many it says there are, and where it leads."""
    for tile in context["tiles"]:
        said = tile.note if tile.kind == FigureKind.MAIL_TIME else tile.value
        yield tile.label, int(re.sub(r"\D", "", said.split(";")[0])), tile.url
    for breakdown in context["breakdowns"]:
        if breakdown.slug != "quotas":
            yield from ((line.label, int(line.value), line.url) for line in breakdown.lines)
    for plot in context["plots"]:
        for row in plot.rows:
            yield from ((plot.title, cell.value, cell.url) for cell in row.cells if cell.value)


def test_each_figure_leads_to_exactly_the_rows_that_it_counts(browser: Client) -> None:
    """Of one customer, and of all; tiles, lists and every step of the plots."""
    acme, other = factories.customer(), factories.customer()
    happen(acme)
    happen(other)
    posting.post(posting.branding(other.id))  # after it was counted
    for days in (1, 7, 30):
        check_figures(browser, acme, days)


def counted_by_page(browser: Client, url: str) -> int:
    listed = browser.get(url)
    assert listed.status_code == 200, url
    return int(listed.context["cl"].result_count)


def counted_by_list(url: str) -> int:
    """What the page is made of, without its HTML: many figures lead to the same page with another query."""
    request = RequestFactory().get(url)
    request.user = User.objects.get()
    app, model = request.path.removeprefix("/admin/").strip("/").split("/")
    page = admin.site.get_model_admin(apps.get_model(app, model))
    return int(page.get_changelist_instance(request).result_count)


def check_figures(browser: Client, acme: Customer, days: int) -> None:
    """The first figure of each label by its page."""
    seen: set[str] = set()
    for chosen in (str(acme.id), ""):
        context = overview(browser, days=days, customer=chosen)
        for label, value, url in figures_with_lists(context):
            found = counted_by_list(url) if label in seen else counted_by_page(browser, url)
            assert (label, found) == (label, value), url
            seen.add(label)
        sign_ins = {1: 4, 7: 6, 30: 8}[days] * (1 if chosen else 2)
        assert tiles(context)[FigureKind.SIGN_IN] == str(sign_ins)
        assert tiles(context)[FigureKind.SESSION] == str(1 if chosen else 2), "not those that have ended"
    assert len(seen) > 12


def test_mails_to_operators_are_among_no_customers_rows(browser: Client) -> None:
    house, now = Customer.objects.get(id=DEFAULT_CUSTOMER_ID), timezone.now()
    happening.code(house.id, now, took=None, state=MessageState.FAILED)
    invitation = happening.code(house.id, now, took=None, state=MessageState.FAILED)
    Message.objects.filter(id=invitation.id).update(kind=OperatorMail.INVITATION)
    happening.count(timezone.now())
    for chosen, value in ((str(house.id), 1), ("", 2)):
        found = [tile for tile in overview(browser, customer=chosen)["tiles"] if tile.kind == FigureKind.MAIL_FAILED]
        assert [tile.value for tile in found] == [str(value)]
        assert browser.get(found[0].url).context["cl"].result_count == value
    of_nobody = Rows(now - DAY, now + DAY, EVERYONE).of(FigureKind.MAIL_FAILED)
    assert list(browser.get(of_nobody).context["cl"].result_list) == [invitation]


def test_a_refusal_is_counted_by_its_rule_and_found(browser: Client, client_for: MakeClient) -> None:
    """As the API refuses: too many codes for one address."""
    customer = factories.customer(code_resend_after=0)
    client = client_for(customer)
    answers = [client.request_otp("ada@example.com").status for _ in range(6)]
    assert answers == [200] * 5 + [429]
    happening.count(timezone.now())
    failures = next(part for part in overview(browser)["breakdowns"] if part.slug == FigureKind.FAILURE)
    (line,) = failures.lines
    assert (line.label, line.value) == ("Refused: Too many codes were asked for this address", "1")
    assert browser.get(line.url).context["cl"].result_count == 1


def test_an_operator_without_rights_learns_no_number() -> None:
    happen(factories.customer())
    context = overview(clerk())
    assert [context[part] for part in ("tiles", "tasks", "plots", "breakdowns")] == [[], [], [], []]
    assert not context["may_choose"]


def test_a_right_shows_its_numbers_and_no_others() -> None:
    happen(factories.customer())
    for right in sorted(set(TILES.values())):
        browser = clerk(right, name=f"{right}@example.com")
        context = overview(browser)
        assert list(tiles(context)) == [kind for kind, needed in TILES.items() if needed == right]
        links = [tile.url for tile in context["tiles"]] + [task.url for task in context["tasks"]]
        assert [browser.get(url).status_code for url in links] == [200] * len(links)


def test_the_right_to_see_operators_is_not_the_right_to_see_users() -> None:
    """Both are called view_user; one is Django's."""
    row = operator("clerk@example.com", is_superuser=False)
    give(row, Permission.objects.filter(codename="view_user", content_type__app_label="auth"))
    assert overview(sign_in("clerk@example.com"))["tiles"] == []


def test_the_sidebar_leads_nowhere_that_is_forbidden() -> None:
    page = clerk("view_session").get("/admin/").content.decode()
    assert "/admin/tokens/session/" in page
    assert "/admin/users/user/" not in page
    assert "/admin/audit/event/" not in page


def test_who_may_see_some_customers_sees_the_figures_of_these() -> None:
    """The overview follows the operator's list of customers: what is on no list of theirs is in no sum of theirs."""
    mine, also_mine, others = (factories.customer() for _ in range(3))
    for customer in (mine, also_mine, others):
        happen(customer)
    browser = signed_in(with_role(RoleName.ADMINISTRATOR, mine, also_mine))
    both = overview(browser)
    assert tiles(both)[FigureKind.SIGN_IN] == "8"
    for wanted in (str(others.id), others.slug, others.name):
        context = overview(browser, customer=wanted)
        assert context["chosen"].customer is None
        assert context["chosen"].is_unknown
        assert tiles(context) == tiles(both)
    assert tiles(overview(browser, customer=mine.slug))[FigureKind.SIGN_IN] == "4"


def test_a_customer_is_found_by_name_slug_or_id_or_by_how_these_begin(browser: Client) -> None:
    acme = factories.customer(name="Acme Ltd", slug="acme-ltd")
    factories.customer(name="Acme Inc", slug="acme-inc")
    for wanted in (str(acme.id), "acme-ltd", "acme ltd", "Acme L"):
        assert overview(browser, customer=wanted)["chosen"].customer == acme, wanted
    several = overview(browser, customer="acme")
    assert [customer.name for customer, _ in several["suggested"]] == ["Acme Inc", "Acme Ltd"]
    assert overview(browser, customer="<script>")["chosen"].is_unknown
    for hostile in ("%", "_", "\x00", "'", "x" * 5000):
        assert overview(browser, customer=hostile, days="7; drop")["chosen"].customer is None


def test_it_says_what_needs_somebody_and_the_gravest_first(browser: Client) -> None:
    customer = factories.customer(daily_code_quota=40)
    for _ in range(20):
        posting.post(posting.branding(customer.id), quota=factories.state_of(customer).quota)
    happen(customer)
    context = overview(browser)
    tasks = context["tasks"]
    assert [task.grave for task in tasks] == sorted((task.grave for task in tasks), reverse=True)
    texts = "\n".join(task.text for task in tasks)
    assert "Codes are being guessed" in texts
    assert "See why 2 mails failed" in texts
    assert "100.0 % of its code mails today" in texts
    quotas = next(part for part in context["breakdowns"] if part.slug == "quotas")
    assert (quotas.lines[0].value, quotas.lines[0].bad) == ("40 of 40", True)


def test_it_says_so_when_nothing_needs_anybody(browser: Client) -> None:
    happening.count(timezone.now())
    assert "Nothing needs you now." in browser.get("/admin/").content.decode()


def test_it_says_so_when_nobody_counts(browser: Client) -> None:
    """Figures that stand still must not look like a quiet day."""
    assert "Nothing has been counted yet" in overview(browser)["late"]
    happening.count(timezone.now() - 10 * MINUTE)
    assert "Counted up to" in overview(browser)["late"]
    happening.count(timezone.now())
    assert "Counted up to" not in overview(browser)["late"]


@pytest.mark.parametrize(
    ("ago", "says"), [(MINUTE / 2, ""), (10 * MINUTE, "Counted up to"), (3 * DAY, "Counted up to")]
)
@pytest.mark.parametrize("minutes", [0, 1, 9, 61])
def test_midnight_makes_nobody_think_that_nothing_counts(minutes: int, ago: timedelta, says: str) -> None:
    """The figures of today begin then: up to the first count of a day, what was counted is of yesterday."""
    now = timezone.now().replace(hour=0, minute=0, second=5, microsecond=0) + minutes * MINUTE
    happening.count(now - ago)
    shown = Shown(figures=happening.figures(now), customers=None, customer_id=None, may_view=lambda _model: True)
    late = todo.late(shown, now=now)
    assert late.startswith(says)
    assert bool(late) is bool(says)


def test_it_costs_the_same_however_much_has_happened(browser: Client) -> None:
    """No statement reads events, mails or sessions, and as many are needed for one row as for many."""
    customer = factories.customer()
    happening.count(timezone.now())
    for _ in range(2):
        for query in ({}, {"days": 30}, {"days": 7, "customer": customer.slug}):
            with counted() as cost:
                page = browser.get("/admin/", query)
            assert len(cost.statements) <= QUERIES
            big = ("audit_event", "mail_message", "mail_ledgerentry", "tokens_session", "users_user")
            assert [text for text in cost.statements if any(f'"{table}"' in text for table in big)] == []
            assert len(page.content) < MOST_BYTES
        happen(customer)


def test_it_speaks_german(browser: Client) -> None:
    happen(factories.customer())
    page = browser.get("/admin/", {"days": 7}, headers={"Accept-Language": "de"}).content.decode()
    for text in ("Was zu tun ist", "Anmeldungen nach Verfahren", "Fehlschläge nach Grund", "7 Tage", "Als Tabelle"):
        assert text in page
    assert "What needs you" not in page


def test_every_failure_and_security_event_has_a_name_or_a_readable_one() -> None:
    with translation.override("en"):
        check_names()


def check_names() -> None:
    assert names.failure("code_rejected") == "Wrong code"
    assert (
        names.failure("request_refused/codes_per_email")
        == "Request refused: Too many codes were asked for this address"
    )
    assert names.security("high/code_guessing") == "Codes are being guessed (high)"
    assert set(names.ACTIONS) <= actions.ALL
    assert [names.seconds(value) for value in (None, 0.234, 3, 90, 7200)] == [
        names.NOTHING,
        "0.23 s",
        "3.0 s",
        "1.5 min",
        "2.0 h",
    ]


def test_the_top_of_a_plot_is_a_round_number_that_nothing_exceeds() -> None:
    for value in (0, 1, 2, 3, 7, 10, 11, 99, 100, 4616, 8005):
        top = plots.rounded_up(value)
        assert value <= top <= max(5 * value / 2, 1)
        assert str(top).strip("0") in {"1", "2", "5"}
