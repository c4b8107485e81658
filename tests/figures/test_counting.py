"""Hours are counted by a task: once is enough, twice does no harm, and nothing that comes late is lost."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection, transaction

from apps.audit import actions
from apps.audit.models import Severity
from apps.customers.models import DEFAULT_CUSTOMER_ID
from apps.customers.operator_mails import OperatorMail
from apps.figures import counting, latency, reading, tasks
from apps.figures.counters import CODE_KINDS, COUNTERS
from apps.figures.models import EVERYONE, CountedHour, FigureKind, HourlyFigure
from apps.mail.models import LedgerStep, Message, MessageState
from tests import factories, races
from tests.figures import happening
from tests.mail import posting

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EVENTS, MAILS, SESSIONS = COUNTERS
SHARE = counting.SHARE


@pytest.fixture
def acme() -> UUID:
    return factories.customer().id


@pytest.fixture
def other() -> UUID:
    return factories.customer().id


def rows() -> set[tuple[object, ...]]:
    return set(HourlyFigure.objects.values_list("customer_id", "hour", "kind", "label", "count"))


def test_each_customer_has_its_own_figures_and_everyone_the_sum(acme: UUID, other: UUID) -> None:
    for _ in range(3):
        happening.sign_in(acme, NOW - MINUTE)
    happening.sign_in(other, NOW - MINUTE, "passkey")
    happening.count(NOW)
    assert happening.figures(NOW, [acme]).by_label(FigureKind.SIGN_IN) == {"code": 3}
    assert happening.figures(NOW, [other]).by_label(FigureKind.SIGN_IN) == {"passkey": 1}
    assert happening.figures(NOW, [acme, other]).by_label(FigureKind.SIGN_IN) == {"code": 3, "passkey": 1}
    assert happening.figures(NOW).by_label(FigureKind.SIGN_IN) == {"code": 3, "passkey": 1}
    assert happening.figures(NOW, []).total(FigureKind.SIGN_IN) == 0


def test_what_is_nobodys_counts_for_everyone_alone(acme: UUID) -> None:
    """Operators' own sign-ins belong to no customer."""
    happening.failure(None, NOW - MINUTE, actions.OPERATOR_SIGN_IN_FAILED, severity=Severity.MEDIUM)
    happening.count(NOW)
    assert happening.figures(NOW).by_label(FigureKind.FAILURE) == {"operator_sign_in_failed": 1}
    assert set(HourlyFigure.objects.values_list("customer_id", flat=True)) == {EVERYONE}


def test_failures_are_counted_by_action_and_by_the_rule_that_refused(acme: UUID) -> None:
    happening.failure(acme, NOW - MINUTE)
    happening.failure(acme, NOW - MINUTE, actions.ADDRESS_REFUSED, rule="allowlist")
    happening.failure(acme, NOW - MINUTE, actions.ADDRESS_REFUSED, rule="allowlist")
    happening.count(NOW)
    assert happening.figures(NOW, [acme]).by_label(FigureKind.FAILURE) == {
        "address_refused/allowlist": 2,
        "code_rejected": 1,
    }


def test_security_events_are_counted_by_severity(acme: UUID) -> None:
    happening.failure(acme, NOW - MINUTE, actions.CODE_GUESSING, severity=Severity.HIGH)
    happening.sign_in(acme, NOW - MINUTE)
    happening.count(NOW)
    assert happening.figures(NOW, [acme]).by_label(FigureKind.SECURITY) == {"high/code_guessing": 1}


def test_mails_are_counted_by_what_has_become_of_them(acme: UUID) -> None:
    at = NOW - 2 * MINUTE
    happening.code(acme, at, took=1, used=True)
    happening.code(acme, at, took=3)
    happening.code(acme, at, took=None)
    happening.code(acme, at, took=None, state=MessageState.FAILED)
    happening.code(acme, at, took=None, state=MessageState.SUPPRESSED)
    happening.code(acme, at, took=None, state=MessageState.SANDBOXED)
    notice = posting.post(posting.branding(acme), now=at, kind="new_device")
    happening.note(notice, LedgerStep.ACCEPTED, at + timedelta(seconds=5))
    happening.become(notice, MessageState.SENT)
    happening.count(NOW)
    found = happening.figures(NOW, [acme])
    assert {kind: found.total(kind) for kind in MAILS.kinds} == {
        FigureKind.CODE_SENT: 2,
        FigureKind.CODE_REDEEMED: 1,
        FigureKind.MAIL_TIME: 3,
        FigureKind.MAIL_WAITING: 1,
        FigureKind.MAIL_FAILED: 1,
    }


def test_mails_to_operators_are_no_customers() -> None:
    """They are rows of the default customer. What is sent to its users counts there, as anywhere."""
    for kind in OperatorMail:
        invitation = happening.code(DEFAULT_CUSTOMER_ID, NOW - MINUTE, took=None, state=MessageState.FAILED)
        Message.objects.filter(id=invitation.id).update(kind=kind)
    happening.code(DEFAULT_CUSTOMER_ID, NOW - MINUTE, took=None, state=MessageState.FAILED)
    happening.count(NOW)
    assert happening.figures(NOW, [DEFAULT_CUSTOMER_ID]).total(FigureKind.MAIL_FAILED) == 1
    assert happening.figures(NOW).total(FigureKind.MAIL_FAILED) == 1 + len(OperatorMail)


def test_the_median_and_the_95th_are_those_of_the_mails_within_a_tenth(acme: UUID) -> None:
    times = [0.05, 0.3, *[1.0 + number / 10 for number in range(36)], 70.0, 4000.0]
    for seconds in times:
        happening.code(acme, NOW - 90 * MINUTE, took=seconds)
    happening.count(NOW)
    found = happening.figures(NOW, [acme])
    for share in (0.5, 0.9):
        real = sorted(times)[int(len(times) * share) - 1]
        assert found.time_to_mail(share) == pytest.approx(real, rel=0.1)
    assert latency.BOUNDS[-1] > 86_400, "a mail may take a day"
    assert happening.figures(NOW, []).time_to_mail(0.5) is None


def test_all_mails_with_a_code_to_enter_are_known() -> None:
    """Those whose template shows the code, and the SMS. The code of a test mail is an example, and opens nothing."""
    templates = settings.BASE_DIR / "templates"
    with_code = {
        path.parent.name for path in templates.glob("mail/*/body.html") if "base_code.html" in path.read_text()
    } - {"test_mail"}
    assert with_code | {path.stem for path in templates.glob("sms/*.txt")} == set(CODE_KINDS)


def test_sessions_are_those_alive_now_not_all_that_there_are() -> None:
    user = factories.user(factories.customer())
    factories.session(user, now=NOW - HOUR)
    factories.session(user, now=NOW - HOUR)
    factories.session(user, now=NOW - 90 * DAY)  # expired
    factories.session(user, now=NOW + HOUR)  # of later
    happening.count(NOW)
    assert reading.sessions_at(happening.figures(NOW).until("sessions"), [user.customer_id]) == 2
    assert reading.sessions_at(None, None) == 0


def test_counting_twice_changes_nothing(acme: UUID) -> None:
    """Not even a row is written."""
    happening.sign_in(acme, NOW - MINUTE)
    happening.code(acme, NOW - MINUTE)
    happening.count(NOW)
    before = physical_rows()
    for second in range(3):
        assert happening.count(NOW + timedelta(seconds=30 * (second + 1))) > 0
    assert physical_rows() == before


def physical_rows() -> list[object]:
    """Where each row lies, and by which transaction it was written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ctid::text, xmin::text, count FROM figures_hourlyfigure ORDER BY 1")
        return list(cursor.fetchall())


def test_what_changes_is_counted_as_what_it_has_become(acme: UUID) -> None:
    message = happening.code(acme, NOW - MINUTE, took=None, state=MessageState.FAILED)
    happening.count(NOW)
    happening.become(message, MessageState.SENT)  # sent again by an operator
    happening.note(message, LedgerStep.ACCEPTED, NOW)
    happening.count(NOW + MINUTE)
    found = happening.figures(NOW + MINUTE, [acme])
    assert (found.total(FigureKind.MAIL_FAILED), found.total(FigureKind.CODE_SENT)) == (0, 1)
    assert not HourlyFigure.objects.filter(kind=FigureKind.MAIL_FAILED).exists()


@pytest.mark.parametrize(
    ("late_by", "counted_within"), [(MINUTE, MINUTE), (5 * HOUR, 30 * MINUTE), (4 * DAY, DAY), (30 * DAY, DAY)]
)
def test_a_row_that_comes_late_is_counted(acme: UUID, late_by: timedelta, counted_within: timedelta) -> None:
    """Its transaction was long, its host's clock was behind, or it was written after an outage."""
    hour = counting.beginning_of_hour(NOW - late_by)
    counting.count(EVENTS, hour=hour, now=NOW)
    happening.sign_in(acme, NOW - late_by)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "KEPT", timedelta(days=35))
        assert hour in counting.due(EVENTS, now=NOW + counted_within)
        assert (hour in counting.due(EVENTS, now=NOW + timedelta(seconds=30))) == (late_by == MINUTE), "not too often"
    counting.count(EVENTS, hour=hour, now=NOW + counted_within)
    assert happening.figures(NOW, [acme], days=35).total(FigureKind.SIGN_IN) == 1


def test_an_event_whose_transaction_commits_after_its_hour_was_counted_is_not_lost(acme: UUID) -> None:
    def writing_in_another(number: int) -> None:
        if number == 0:
            with transaction.atomic():
                happening.sign_in(acme, NOW - MINUTE)
                entered.set()
                counted.wait(60)
        else:
            entered.wait(60)
            happening.count(NOW)
            counted.set()

    entered, counted = threading.Event(), threading.Event()
    races.at_once(2, writing_in_another)
    assert happening.figures(NOW, [acme]).total(FigureKind.SIGN_IN) == 0
    happening.count(NOW + MINUTE)
    assert happening.figures(NOW + MINUTE, [acme]).total(FigureKind.SIGN_IN) == 1


def test_after_an_outage_the_hours_in_between_are_counted(acme: UUID) -> None:
    """The worker was away for nine hours, and in the middle of one when it went."""
    happening.sign_in(acme, NOW - MINUTE)
    happening.count(NOW)
    for hour in range(10):
        happening.sign_in(acme, NOW + hour * HOUR + MINUTE)
    later = NOW + 9 * HOUR + 2 * MINUTE
    assert happening.figures(later, [acme]).missing == 9
    happening.count(later)
    found = happening.figures(later, [acme])
    assert (found.total(FigureKind.SIGN_IN), found.missing) == (11, 0)


def test_a_run_that_is_cut_short_goes_on_where_it_stopped(acme: UUID) -> None:
    """Even if each run manages no more than one hour, every hour has its turn."""
    for hour in range(6):
        happening.sign_in(acme, NOW - hour * HOUR - MINUTE)
    for run in range(2 * 13 + 1):
        assert counting.count_due(now=NOW + run * timedelta(seconds=1), until=0) == 1
    assert happening.figures(NOW, [acme]).total(FigureKind.SIGN_IN) == 6


def test_a_count_that_fails_leaves_what_was_counted_before(acme: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that dies in between does the same: it is one transaction."""
    happening.sign_in(acme, NOW - MINUTE)
    happening.count(NOW)
    before = rows()
    happening.sign_in(acme, NOW - MINUTE)

    def dies(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(counting, "_note", dies)
        with pytest.raises(KeyboardInterrupt):
            counting.count(EVENTS, hour=counting.beginning_of_hour(NOW), now=NOW + MINUTE)
    assert rows() == before
    happening.count(NOW + MINUTE)
    assert happening.figures(NOW + MINUTE, [acme]).total(FigureKind.SIGN_IN) == 2


def test_two_workers_at_once_count_nothing_twice(acme: UUID, other: UUID) -> None:
    for customer_id in (acme, other):
        happening.sign_in(customer_id, NOW - MINUTE)
        happening.code(customer_id, NOW - MINUTE)
    hour = counting.beginning_of_hour(NOW)
    races.at_once(
        24,
        lambda number: counting.count(COUNTERS[number % 2], hour=hour, now=NOW + timedelta(seconds=number)),
        threads=8,
    )
    found = happening.figures(NOW, [acme, other])
    assert (found.total(FigureKind.SIGN_IN), found.total(FigureKind.CODE_SENT)) == (2, 2)
    assert happening.figures(NOW).total(FigureKind.SIGN_IN) == 2


def test_a_worker_that_was_asleep_does_not_bring_back_what_it_knew(acme: UUID) -> None:
    happening.sign_in(acme, NOW + MINUTE)
    hour = counting.beginning_of_hour(NOW)
    counting.count(EVENTS, hour=hour, now=NOW + 2 * MINUTE)
    counting.count(EVENTS, hour=hour, now=NOW)
    assert happening.figures(NOW + 2 * MINUTE, [acme]).total(FigureKind.SIGN_IN) == 1


def test_an_hour_that_took_long_to_count_is_left_alone_for_longer(acme: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "SHARE", SHARE)
    happening.count(NOW)
    CountedHour.objects.update(seconds=6)
    hour = counting.beginning_of_hour(NOW)
    assert hour not in counting.due(EVENTS, now=NOW + MINUTE)
    assert hour in counting.due(EVENTS, now=NOW + 2 * MINUTE)


def test_days_are_days_of_utc_and_none_is_one_off(acme: UUID) -> None:
    """C8"""
    midnight = NOW.replace(hour=0, minute=0)
    for at in (midnight - timedelta(microseconds=1), midnight, midnight - 6 * DAY, midnight - 6 * DAY - MINUTE):
        happening.sign_in(acme, at)
    for at in (NOW, midnight, midnight - MINUTE, midnight - 6 * DAY, midnight - 6 * DAY - MINUTE):
        counting.count(EVENTS, hour=counting.beginning_of_hour(at), now=NOW)
    assert happening.figures(NOW, [acme]).by_step(FigureKind.SIGN_IN) == [1, *[0] * 12]
    assert happening.figures(NOW, [acme], days=7).by_step(FigureKind.SIGN_IN) == [1, 0, 0, 0, 0, 1, 1]
    assert happening.figures(NOW, [acme], days=30).total(FigureKind.SIGN_IN) == 4
    assert len(happening.figures(NOW, [acme], days=30).by_step(FigureKind.SIGN_IN)) == 30


def test_figures_of_long_ago_go(acme: UUID) -> None:
    happening.sign_in(acme, NOW - MINUTE)
    happening.count(NOW)
    assert counting.remove_old(now=NOW) == 0
    assert counting.remove_old(now=NOW + counting.KEPT + HOUR) > 0
    assert not HourlyFigure.objects.exists() and not CountedHour.objects.exists()


def test_figures_go_with_nobody_and_name_nobody(acme: UUID) -> None:
    """C8: a user who is erased was only a number here; what is kept of a label is ours, never what a client sent."""
    happening.failure(acme, NOW - MINUTE, rule="r" * 500)
    happening.count(NOW)
    columns = {field.name for field in HourlyFigure._meta.fields}
    assert columns == {"id", "customer_id", "hour", "kind", "label", "count"}
    assert max(len(figure.label) for figure in HourlyFigure.objects.all()) <= 160


def test_the_tasks_do_it() -> None:
    assert tasks.count() > 0
    assert tasks.remove_old() == 0
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {"figures.count", "figures.remove_old"} <= scheduled
