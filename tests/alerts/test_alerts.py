"""A threshold that is reached is told once, by mail, until somebody has acknowledged it and it is over."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.urls import reverse

from apps.alerts import tasks, usual_rules, watching
from apps.alerts.models import Alert, AlertKind, AlertRule
from apps.audit import actions
from apps.audit.models import Event, Severity
from apps.core import actors
from apps.customers.models import Customer
from apps.figures import counting
from apps.figures.counters import COUNTERS
from apps.figures.models import EVERYONE
from apps.mail import outbox
from apps.mail.models import Message, MessageState
from tests import factories, races
from tests.figures import happening
from tests.mail import posting
from tests.operators.limiting import give
from tests.operators.signing_in import operator, signed_in
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TOLD = "alerts_raised"
ADD_USUAL = "/admin/alerts/alertrule/add-usual/"


@pytest.fixture(autouse=True)
def kept_for_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each hour is counted again when it is due, however long the machine took to count it before."""
    monkeypatch.setattr(counting, "KEPT", 3 * HOUR)
    monkeypatch.setattr(counting, "SHARE", 0)


@pytest.fixture
def acme() -> Customer:
    return factories.customer(name="Acme")


def rule(kind: str = AlertKind.MAILS_FAILED, threshold: int = 2, of: Customer | None = None, **facts: Any) -> AlertRule:
    values = {"recipients": "", **facts}
    return AlertRule.objects.create(kind=kind, threshold=threshold, customer=of, **values)


def fail(customer: Customer, at: datetime = NOW - MINUTE, times: int = 2) -> None:
    for _ in range(times):
        happening.code(customer.id, at, took=None, state=MessageState.FAILED)


def watch(now: datetime = NOW) -> int:
    """As beat's two tasks do, one after the other."""
    happening.count(now)
    return watching.watch(now=now)


def told() -> list[str]:
    """What each mail about alerts says, the oldest first."""
    mails = Message.objects.filter(kind=TOLD).order_by("id")
    return [f"{mail.recipient}: {outbox.content_of(mail).text}" for mail in mails]  # type: ignore[union-attr]


def test_it_is_raised_from_the_threshold_on(acme: Customer) -> None:
    rule(threshold=3)
    fail(acme, times=2)
    assert watch() == 0
    fail(acme, times=1)
    assert watch(NOW + MINUTE) == 1
    alert = Alert.objects.get()
    assert (alert.customer_id, alert.customer_name, alert.value, alert.threshold) == (acme.id, "Acme", 3, 3)
    event = Event.objects.get(action="alert_raised")
    assert (event.customer_id, event.details["value"]) == (acme.id, 3)


def test_it_is_told_once_and_not_again_until_acknowledged_and_over(acme: Customer) -> None:
    """Elsewhere the same alert was mailed at each evaluation, or by each of two servers."""
    rule(recipients="ops@acme.example")
    fail(acme)
    assert watch() == 1
    for minutes in (1, 2, 30):
        fail(acme, NOW + (minutes - 1) * MINUTE)
        assert watch(NOW + minutes * MINUTE) == 0
    later = NOW + 4 * HOUR  # nothing fails any more
    assert watch(later) == 0
    fail(acme, later)
    assert watch(later + MINUTE) == 0, "nobody has acknowledged it"
    assert len(told()) == 1
    watching.acknowledge(Alert.objects.get(), context=factories.context(now=later))
    assert watch(later + 2 * MINUTE) == 1, "it was over, and has come back"
    assert len(told()) == 2


def test_acknowledged_while_it_goes_on_it_is_not_raised_again(acme: Customer) -> None:
    rule()
    fail(acme)
    watch()
    watching.acknowledge(Alert.objects.get(), context=factories.context(now=NOW))
    assert watch(NOW + MINUTE) == 0
    assert watch(NOW + 4 * HOUR) == 0
    assert Alert.objects.get().over_at == NOW + 4 * HOUR
    fail(acme, NOW + 5 * HOUR)
    assert watch(NOW + 5 * HOUR + MINUTE) == 1


def test_each_customer_is_looked_at_by_itself(acme: Customer) -> None:
    other = factories.customer()
    rule(threshold=2)
    rule(threshold=1, of=other)
    fail(acme, times=1)
    assert watch() == 0, "one of each is not two of one, and others have their own rule"
    fail(other, times=1)
    assert watch(NOW + MINUTE) == 1
    assert Alert.objects.get().customer_id == other.id


def test_what_belongs_to_no_customer_is_watched_too(acme: Customer) -> None:
    rule(AlertKind.SECURITY, 2)
    happening.failure(acme.id, NOW - MINUTE, actions.CODE_GUESSING, severity=Severity.HIGH)
    happening.failure(acme.id, NOW - MINUTE, severity=Severity.LOW)
    for _ in range(2):
        happening.failure(None, NOW - MINUTE, actions.OPERATOR_GUESSING, severity=Severity.HIGH)
    assert watch() == 1
    assert (Alert.objects.get().customer_id, Alert.objects.get().value) == (EVERYONE, 2)


def test_failures_are_a_share_and_of_few_attempts_none(acme: Customer) -> None:
    rule(AlertKind.FAILURES, 50)
    for _ in range(9):
        happening.sign_in(acme.id, NOW - MINUTE)
        happening.failure(acme.id, NOW - MINUTE)
    assert watch() == 0, "too few to say"
    happening.sign_in(acme.id, NOW - MINUTE)
    happening.failure(acme.id, NOW - MINUTE)
    assert watch(NOW + MINUTE) == 1
    assert Alert.objects.get().value == 50


def test_slow_mails_and_full_quotas_are_noticed(acme: Customer) -> None:
    rule(AlertKind.SLOW_MAIL, 20)
    rule(AlertKind.QUOTA, 80)
    factories.policy(acme, daily_code_quota=10)
    for _ in range(8):
        posting.post(posting.branding(acme.id), quota=factories.state_of(acme).quota, now=NOW - MINUTE)
    Message.objects.all().delete()
    happening.code(acme.id, NOW - MINUTE, took=30)
    assert watch() == 2
    values = dict(Alert.objects.values_list("kind", "value"))
    assert (values["quota"] >= 80, 25 <= values["slow_mail"] <= 35) == (True, True)


def test_a_rule_that_is_switched_off_raises_nothing(acme: Customer) -> None:
    rule(is_active=False)
    fail(acme)
    assert watch() == 0


def test_its_recipients_are_told_and_without_any_the_operators_who_may_acknowledge(acme: Customer) -> None:
    operator("boss@example.com")
    operator("clerk@example.com", is_superuser=False)
    rule(recipients="ops@acme.example, sre@acme.example", of=acme)
    rule(threshold=1)
    fail(acme)
    assert watch() == 2
    by_recipient = {text.partition(":")[0]: text for text in told()}
    assert set(by_recipient) == {"ops@acme.example", "sre@acme.example", "boss@example.com"}
    assert "Acme: mails that failed: 2 (alert from 2)." in by_recipient["ops@acme.example"]
    assert "/admin/" not in by_recipient["ops@acme.example"], "they need not be operators"
    assert f"{settings.PUBLIC_URL}/admin/alerts/alert/" in by_recipient["boss@example.com"]


def test_a_customers_own_recipients_read_its_language(acme: Customer) -> None:
    factories.policy(acme, default_locale="de")
    rule(recipients="ops@acme.example", of=acme)
    fail(acme)
    watch()
    assert "Acme: gescheiterte Mails: 2 (Alarm ab 2)." in told()[0]


def test_many_alerts_at_once_are_one_mail(acme: Customer) -> None:
    operator()
    for kind in (AlertKind.MAILS_FAILED, AlertKind.SECURITY):
        rule(kind, 1)
    fail(acme)
    happening.failure(acme.id, NOW - MINUTE, actions.CODE_GUESSING, severity=Severity.HIGH)
    assert watch() == 2
    assert len(told()) == 1
    assert not Message.objects.filter(kind=TOLD).exclude(state=MessageState.QUEUED).exists()


def test_two_workers_at_once_raise_and_tell_once(acme: Customer) -> None:
    operator()
    rule()
    fail(acme)
    happening.count(NOW)
    assert sum(races.at_once(8, lambda _: watching.watch(now=NOW), threads=8)) == 1
    assert (Alert.objects.count(), len(told())) == (1, 1)


def test_of_two_who_acknowledge_one_has(acme: Customer) -> None:
    rule()
    fail(acme)
    watch()
    alert = Alert.objects.get()
    acknowledged = races.at_once(
        6,
        lambda number: watching.acknowledge(alert, context=factories.context(actors.operator(str(number)))),
        threads=6,
    )
    assert sorted(acknowledged) == [False] * 5 + [True]
    assert Event.objects.filter(action="alert_acknowledged").count() == 1


def test_without_its_mail_there_is_no_alert_and_the_next_run_raises_it(
    acme: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are one transaction: nothing is raised that nobody is told of."""
    operator()
    rule()
    fail(acme)
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "post", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            watch()
    assert not Alert.objects.exists()
    assert watch(NOW + MINUTE) == 1


def test_recipients_are_addresses() -> None:
    for text in (
        "nobody",
        "a@example.com, b",
        "a@example.com\nBcc: x",
        ",".join(f"a{n}@example.com" for n in range(11)),
    ):
        with pytest.raises(ValidationError):
            AlertRule(kind=AlertKind.QUOTA, threshold=80, recipients=text).full_clean()
    AlertRule(kind=AlertKind.QUOTA, threshold=80, recipients="a@example.com,\n b@example.com").full_clean()


@pytest.mark.parametrize("kind", AlertKind)
def test_an_alert_leads_to_the_rows_that_it_counts(acme: Customer, kind: str) -> None:
    browser, other = signed_in(operator()), factories.customer()
    for customer in (acme, other):
        fail(customer)
        for number in range(20):
            happening.sign_in(customer.id, NOW - MINUTE)
            happening.failure(customer.id, NOW - MINUTE)
            happening.code(customer.id, NOW - MINUTE, took=30.0 + number)
        happening.failure(customer.id, NOW - 2 * MINUTE, actions.CODE_GUESSING, severity=Severity.HIGH)
    factories.policy(acme, daily_code_quota=100)
    rule(kind, 1, of=acme)
    assert watch() == 1
    page = browser.get(f"/admin/alerts/alert/{Alert.objects.get().id}/change/").content.decode()
    url = page.partition('<a class="underline" href="')[2].partition('"')[0].replace("&amp;", "&")
    listed = browser.get(url)
    assert listed.status_code == 200
    expected = {"failures": 21, "mails_failed": 2, "slow_mail": 20, "security": 1}
    if kind in expected:
        assert listed.context["cl"].result_count == expected[kind]


def test_an_operator_acknowledges_in_the_admin(acme: Customer) -> None:
    """From the overview to the list, by one or by many; and who it was is written down."""
    browser = signed_in(operator())
    rule()
    fail(acme)
    fail(factories.customer())
    watch()
    tasks_ = browser.get("/admin/").context["tasks"]
    assert "Acknowledge 2 alerts" in tasks_[0].text
    listed = browser.get(tasks_[0].url)
    assert listed.context["cl"].result_count == 2
    one, two = Alert.objects.order_by("id")
    place = f"/admin/alerts/alert/{one.id}/acknowledge/"
    assert browser.get(place).status_code == 200
    assert not Alert.objects.exclude(acknowledged_at=None).exists(), "a GET only asks"
    browser.post(place)
    selected = {"action": "acknowledge_selected", "_selected_action": [str(two.id)], "confirmed": "yes"}
    browser.post("/admin/alerts/alert/", selected)
    assert set(Alert.objects.values_list("acknowledged_by", flat=True)) == {"operator:ops@example.com"}
    assert not [task for task in browser.get("/admin/").context["tasks"] if "Acknowledge" in task.text]


def test_a_rule_is_made_in_the_admin_and_that_is_an_event(acme: Customer) -> None:
    browser = signed_in(operator())
    form = {
        "customer": str(acme.id),
        "kind": "quota",
        "threshold": "90",
        "recipients": "ops@acme.example",
        "is_active": "on",
    }
    assert browser.get("/admin/alerts/alertrule/add/").status_code == 200
    assert browser.post("/admin/alerts/alertrule/add/", form).status_code == 302
    made = AlertRule.objects.get()
    assert (made.customer, made.threshold, made.recipients) == (acme, 90, "ops@acme.example")
    event = Event.objects.get(action="alert_rule_added")
    assert (event.customer_id, "ops@acme.example" in str(event.details)) == (acme.id, False)
    for wrong in ({"recipients": "x"}, {"customer": "99999999999"}, {"threshold": "0"}):
        assert browser.post("/admin/alerts/alertrule/add/", {**form, **wrong}).status_code == 200, wrong
    assert AlertRule.objects.count() == 1


def test_a_rule_goes_with_what_it_has_raised(acme: Customer) -> None:
    made = rule()
    fail(acme)
    assert watch() == 1
    page = f"/admin/alerts/alertrule/{made.pk}/delete/"
    browser = signed_in(operator())
    asked = browser.get(page, secure=True).content.decode()
    assert "Alerts: 1" in asked, "it says what goes, too"
    assert browser.post(page, {"post": "yes"}, secure=True).status_code == 302
    assert not AlertRule.objects.exists()
    assert not Alert.objects.exists()


def test_an_alert_names_its_customer(acme: Customer) -> None:
    rule()
    fail(acme)
    watch()
    page = signed_in(operator()).get(f"/admin/alerts/alert/{Alert.objects.get().pk}/change/", secure=True)
    assert f'<a class="underline" href="/admin/customers/customer/{acme.pk}/change/">{acme.name}</a>' in (
        page.content.decode()
    )


def test_who_may_not_acknowledge_cannot(acme: Customer) -> None:
    rule()
    fail(acme)
    watch()
    clerk = signed_in(operator("clerk@example.com", is_superuser=False))
    assert clerk.post(f"/admin/alerts/alert/{Alert.objects.get().id}/acknowledge/").status_code == 403
    assert Alert.objects.get().acknowledged_at is None


def test_watching_reads_figures_and_no_events(acme: Customer) -> None:
    for kind in AlertKind:
        rule(kind, 1)
    happening.count(NOW)
    with counted() as cost:
        watching.watch(now=NOW)
    assert len(cost.statements) <= 14
    assert not [text for text in cost.statements if "audit_event" in text or "mail_message" in text]


def test_beat_asks_for_it_and_old_alerts_go() -> None:
    assert {"alerts.watch", "alerts.remove_old"} <= {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert (tasks.watch(), tasks.remove_old()) == (0, 0)
    assert {counter.name for counter in COUNTERS} >= {"events", "mails"}


def test_an_operator_without_rules_adds_the_usual_ones_at_once() -> None:
    """Each tells of itself in the audit log, and a rule that is there already is left as it is."""
    client = signed_in(operator())
    asked = client.get(ADD_USUAL)
    assert "Quota used, in percent: 80" in asked.content.decode()
    assert not AlertRule.objects.exists(), "a question changes nothing"
    assert client.post(ADD_USUAL).status_code == 302
    assert dict(AlertRule.objects.values_list("kind", "threshold")) == usual_rules.USUAL
    assert Event.objects.filter(action=actions.ALERT_RULE_ADDED).count() == len(AlertKind)
    AlertRule.objects.filter(kind=AlertKind.QUOTA).update(threshold=95)
    client.post(ADD_USUAL)
    assert AlertRule.objects.get(kind=AlertKind.QUOTA).threshold == 95
    assert AlertRule.objects.count() == len(AlertKind)


def test_the_usual_rules_are_offered_to_those_who_may_add_and_have_none() -> None:
    rules = reverse("admin:alerts_alertrule_changelist")
    client = signed_in(operator())
    assert ADD_USUAL in client.get(rules).content.decode()
    only_looks = operator("looks@example.com", is_superuser=False)
    give(only_looks, Permission.objects.filter(codename="view_alertrule"))
    looks = signed_in(only_looks)
    assert ADD_USUAL not in looks.get(rules).content.decode()
    assert looks.post(ADD_USUAL).status_code == 403
    assert not AlertRule.objects.exists()
    rule()
    assert ADD_USUAL not in client.get(rules).content.decode()
