"""A deleted customer: everything of it is gone but the audit trail, whatever happens in the middle; other customers keep everything."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.db import connection, models, transaction
from django.utils import timezone

from apps.accounts import customer_deletion, deletion_plan, tasks
from apps.accounts.errors import NotDeletable
from apps.audit import actions, chain
from apps.audit import tasks as audit_tasks
from apps.audit.models import Event, Refusal
from apps.core import valkey
from apps.core.errors import ValidationFailed
from apps.customers import lifecycle
from apps.customers.errors import CustomerBeingDeleted
from apps.customers.models import DEFAULT_CUSTOMER_ID, Customer, CustomerDeletion
from apps.figures.counting import HOUR
from apps.figures.models import CountedHour, FigureKind, HourlyFigure
from apps.files import object_store
from apps.files.models import StoredObject
from apps.users.models import User
from demo.client import Answer, Client
from tests import factories, races
from tests.accounts import everything
from tests.conftest import MakeClient
from tests.figures import happening
from tests.files.keeping import Place
from tests.otp.reading import newest_code
from tests.worker import Worker, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
OPERATOR = "operator:ops@example.com"
WRONG = {"email": "ada@example.com", "password": "not the password"}


def by_operator(now: datetime | None = None) -> Any:
    return factories.context(OPERATOR, now=now)


def suspended(customer: Customer, **ago: float) -> Customer:
    """The customer, suspended for so long."""
    lifecycle.suspend(customer, context=by_operator(timezone.now() - timedelta(**(ago or {"days": 2}))))
    return customer


def deleting(customer: Customer, **ago: float) -> CustomerDeletion:
    return customer_deletion.start(suspended(customer, **ago), context=by_operator())


def carry_out(seconds: float = 60) -> int:
    return customer_deletion.go_on(seconds=seconds, clock=timezone.now)


def delete(customer: Customer) -> CustomerDeletion:
    deletion = deleting(customer)
    assert carry_out() == 1
    deletion.refresh_from_db()
    return deletion


def keys_in_valkey(customer: Customer) -> list[bytes]:
    return [name for name in valkey.client().scan_iter() if str(customer.id).encode() in name]


@pytest.fixture
def storage(tmp_path: Path, settings: Any) -> Iterator[Path]:
    settings.STORAGES = {
        **settings.STORAGES,
        "files": {**settings.STORAGES["files"], "OPTIONS": {"location": tmp_path}},
    }
    yield tmp_path


def test_every_table_is_emptied_and_other_customers_keep_every_row() -> None:
    """C1.5: the tables are found from the models, in the plan and in this test by different ways."""
    mine, other = factories.customer(), factories.customer()
    everything.fill(mine)
    everything.fill(other)
    kept = everything.rows_of(other.id)
    assert set(kept) == {model._meta.label for model in everything.owned_models()}
    assert set(everything.rows_of(mine.id)) == set(kept)
    delete(mine)
    assert everything.rows_of(mine.id) == {}
    assert not Customer.objects.filter(id=mine.id).exists()
    assert everything.rows_of(other.id) == kept


def test_no_column_of_any_table_names_the_customer_any_more_but_the_audit_trails() -> None:
    """Not only those that the models say: PostgreSQL itself is asked."""
    customer = factories.customer()
    everything.fill(customer)
    delete(customer)
    allowed = {"audit_event", "audit_chainlink", "audit_refusal", "customers_customerdeletion"}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND data_type = 'uuid'"
        )
        columns = [(table, column) for table, column in cursor.fetchall() if table not in allowed]
        assert len(columns) > 50
        naming = []
        for table, column in columns:
            cursor.execute(f'SELECT 1 FROM "{table}" WHERE "{column}" = %s LIMIT 1', [customer.id])  # noqa: S608
            naming += [f"{table}.{column}"] if cursor.fetchone() else []
    assert naming == []


def test_what_names_its_customer_by_another_row_goes_with_that_row() -> None:
    """So that it needs no place in the plan."""
    tables = set(deletion_plan.tables())
    for model in set(everything.owned_models()) - tables:
        name = model._default_manager.all().owner.partition("__")[0]  # type: ignore[attr-defined]
        field: Any = model._meta.get_field(name)
        assert field.remote_field.on_delete is models.CASCADE, model
        assert field.related_model in tables, model


def test_each_table_finds_the_customers_rows_by_an_index() -> None:
    """Else each batch would read the rows of all customers."""
    for model in deletion_plan.tables():
        with connection.cursor() as cursor:
            constraints = connection.introspection.get_constraints(cursor, model._meta.db_table)
        column = model._meta.get_field("customer_id" if _has(model, "customer_id") else "customer").column
        indexed = [each for each in constraints.values() if each["index"] or each["unique"] or each["primary_key"]]
        assert any(each["columns"][:1] == [column] for each in indexed), model


def test_what_goes_with_a_row_is_found_by_an_index() -> None:
    """Else each deleted row would read a whole table: a realm with millions of consents could not be deleted elsewhere."""
    reading_all = []
    for model in deletion_plan.tables():
        for relation in model._meta.related_objects:
            field, other = relation.field, relation.related_model
            is_asked = relation.on_delete is not models.DO_NOTHING or field.db_constraint
            with connection.cursor() as cursor:
                found = connection.introspection.get_constraints(cursor, other._meta.db_table)
            indexed = [each for each in found.values() if each["index"] or each["unique"] or each["primary_key"]]
            if is_asked and not any(each["columns"][:1] == [field.column] for each in indexed):
                reading_all.append(f"{other._meta.label}.{field.name}")
    assert reading_all == []


def _has(model: Any, name: str) -> bool:
    return name in {field.name for field in model._meta.get_fields()}


@pytest.mark.parametrize(
    ("ago", "is_possible"), [({"hours": 23, "minutes": 59}, False), ({"hours": 24, "seconds": 1}, True)]
)
def test_only_a_customer_that_is_suspended_for_a_day_is_deleted(ago: dict[str, float], *, is_possible: bool) -> None:
    customer = suspended(factories.customer(), **ago)
    outcome = races.outcome(lambda: customer_deletion.start(customer, context=by_operator()))
    assert outcome == ("done" if is_possible else "NotDeletable")
    assert CustomerDeletion.objects.exists() == is_possible


def test_neither_an_active_customer_nor_the_default_one_is_deleted() -> None:
    active = factories.customer()
    reactivated = suspended(factories.customer())
    lifecycle.reactivate(reactivated, context=by_operator())
    default = suspended(Customer.objects.get(id=DEFAULT_CUSTOMER_ID))
    for customer in (active, reactivated, default):
        with pytest.raises(NotDeletable):
            customer_deletion.start(customer, context=by_operator())
    assert not CustomerDeletion.objects.exists()


def test_suspending_again_does_not_begin_the_day_anew() -> None:
    customer = suspended(factories.customer(), days=2)
    lifecycle.suspend(customer, context=by_operator())
    customer_deletion.start(customer, context=by_operator())


def test_two_who_delete_at_once_begin_one_deletion() -> None:
    customer = suspended(factories.customer())
    outcomes = races.at_once(
        8, lambda _: races.outcome(lambda: customer_deletion.start(customer, context=by_operator()))
    )
    assert sorted(outcomes) == ["NotDeletable"] * 7 + ["done"]
    assert Event.objects.filter(action=actions.CUSTOMER_DELETION_STARTED).count() == 1


def test_a_customer_that_is_being_deleted_does_not_come_back() -> None:
    customer = factories.customer()
    deleting(customer)
    for change in (lifecycle.reactivate, lifecycle.suspend):
        with pytest.raises(CustomerBeingDeleted):
            change(Customer.objects.get(id=customer.id), context=by_operator())


def test_its_keys_and_tokens_are_refused_from_the_beginning_to_the_end_and_after(client_for: MakeClient) -> None:
    """C1.8, C3.4: also by a process that remembers them."""
    mine, other = factories.customer(), factories.customer()
    client, neighbour = client_for(mine), client_for(other)
    pair, theirs = factories.session(factories.user(mine)), factories.session(factories.user(other))
    assert client.get("/api/auth/me", token=pair.access).status == 200
    assert answers(client, pair) == {"me": (200, None), "refresh": (200, None), "request": (200, None)}
    fresh = factories.session(User.objects.of(mine.id).get())
    deletion = deleting(mine)
    suspended_everywhere = dict.fromkeys(("me", "refresh", "request"), (403, "customer_suspended"))
    assert answers(client, fresh) == suspended_everywhere
    assert carry_out(seconds=0) == 0, "one batch"
    assert answers(client, fresh) == suspended_everywhere
    while not carry_out(seconds=0):
        pass
    deletion.refresh_from_db()
    assert deletion.finished_at is not None
    gone = {
        "me": (401, "invalid_token"),
        "refresh": (401, "invalid_token"),  # the client sends its key along, but first the token says whose it is
        "request": (401, "invalid_api_key"),
    }
    assert answers(client, fresh) == gone
    assert answers(neighbour, theirs) == {"me": (200, None), "refresh": (200, None), "request": (200, None)}


def answers(client: Client, pair: Any) -> dict[str, tuple[int, str | None]]:
    calls = {
        "me": client.get("/api/auth/me", token=pair.access),
        "refresh": client.refresh(pair.refresh),
        "request": client.request_otp("grace@example.com"),
    }
    return {name: (answer.status, answer.error_type) for name, answer in calls.items()}


def test_a_new_customer_never_gets_the_slug_of_a_deleted_one() -> None:
    """Other servers trust the issuer, and it is in there."""
    customer = factories.customer(slug="acme")
    delete(customer)
    with pytest.raises(ValidationFailed) as refused:
        factories.customer(slug="acme")
    assert "slug" in (refused.value.fields or {})
    assert not Customer.objects.filter(slug="acme").exists()


def test_its_files_leave_the_storage_and_those_of_others_stay(client_for: MakeClient, storage: Path) -> None:
    mine, other = Place(client_for, storage), Place(client_for, storage)
    for place in (mine, other):
        place.keep()
        place.keep()
    orphan = StoredObject.objects.create(customer_id=mine.customer.id, created_at=timezone.now())
    object_store.write(orphan.name, [b"of no file"])
    assert len(mine.objects()) == 5
    delete(mine.customer)
    assert {path.parent.name for path in other.objects()} == {str(other.customer.id)}
    assert len(other.objects()) == 2


def test_without_the_storage_the_deletion_waits_and_goes_on_later(
    client_for: MakeClient, storage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what remembers an object stays as long as the object."""
    place = Place(client_for, storage)
    place.keep()
    deletion = deleting(place.customer)
    other = deleting(factories.customer())

    def away(_name: str) -> None:
        raise OSError("away")

    with monkeypatch.context() as patch:
        patch.setattr(type(storages["files"]), "delete", lambda _self, name: away(name))
        assert carry_out() == 1
    deletion.refresh_from_db()
    other.refresh_from_db()
    assert (deletion.waits_for, deletion.finished_at) == ("storage", None)
    assert other.finished_at is not None, "nobody waits for somebody else's storage"
    assert StoredObject.objects.count() == len(place.objects()) == 1
    assert carry_out() == 1
    deletion.refresh_from_db()
    assert (deletion.waits_for, place.objects()) == ("", [])


def test_without_valkey_it_waits_too(client_for: MakeClient, valkey_away: Any) -> None:
    customer = factories.customer()
    deletion = deleting(customer)
    valkey_away.kill()
    assert carry_out() == 0
    deletion.refresh_from_db()
    assert (deletion.waits_for, deletion.finished_at) == ("valkey", None)
    valkey_away.start()
    assert carry_out() == 1


def test_nothing_of_it_is_left_in_valkey_and_what_others_have_there_stays(client_for: MakeClient) -> None:
    mine, other = factories.customer(), factories.customer()
    for customer in (mine, other):
        client_for(customer).request_otp("ada@example.com")
    assert keys_in_valkey(mine)
    kept = sorted(keys_in_valkey(other))
    delete(mine)
    assert keys_in_valkey(mine) == []
    assert sorted(keys_in_valkey(other)) == kept


def test_the_audit_trail_stays_whole_and_says_who_deleted_what(client_for: MakeClient) -> None:
    """C8: its events and its chain are those of before, and two more; refusals are not found by an address any more."""
    customer = factories.customer(name="Acme", slug="acme")
    factories.session(factories.user(customer))
    assert client_for(customer).before_sign_in("/api/auth/login", WRONG).status == 401
    assert Refusal.objects.of(customer.id).filter(address_hash__isnull=False).exists()
    before = set(Event.objects.of(customer.id).values_list("id", flat=True))
    deletion = delete(customer)
    audit_tasks.chain_events()
    assert before < set(Event.objects.of(customer.id).values_list("id", flat=True))
    assert [piece.flaw for piece in chain.pieces(customer.id)] == [None]
    started, ended = Event.objects.of(customer.id).order_by("at", "id").filter(action__startswith="customer_delet")
    assert (started.action, started.actor) == (actions.CUSTOMER_DELETION_STARTED, OPERATOR)
    assert (ended.action, ended.actor) == (actions.CUSTOMER_DELETED, OPERATOR)
    assert (ended.details["name"], ended.details["slug"]) == ("Acme", "acme")
    assert ended.details["rows"]["users.User"] == 1
    assert not Refusal.objects.of(customer.id).filter(address_hash__isnull=False).exists()
    assert deletion.progress["users.User"] == [1, 1]


def test_figures_of_its_own_do_not_come_back_and_those_of_everyone_still_count_it() -> None:
    """Its events stay, and hours are counted again for days."""
    now = timezone.now()
    mine, other = factories.customer(), factories.customer()
    for customer in (mine, other):
        happening.sign_in(customer.id, now - timedelta(minutes=1))
    happening.count(now, kept=2 * HOUR)
    assert HourlyFigure.objects.of(mine.id).exists()
    delete(mine)
    assert not HourlyFigure.objects.of(mine.id).exists()
    CountedHour.objects.all().delete()
    happening.count(now, kept=2 * HOUR)
    assert not HourlyFigure.objects.of(mine.id).exists()
    week = 7  # a minute ago may have been yesterday
    assert happening.figures(now, [other.id], days=week).by_label(FigureKind.SIGN_IN) == {"code": 1}
    assert happening.figures(now, days=week).by_label(FigureKind.SIGN_IN) == {"code": 2}


def test_a_sign_in_at_the_same_time_neither_fails_by_our_fault_nor_leaves_a_row(client_for: MakeClient) -> None:
    """Codes were sent before; they are given while everything goes."""
    customer = factories.customer()
    clients = {f"user{number}@example.com": client_for(customer) for number in range(6)}
    codes = {}
    for email, client in clients.items():
        client.request_otp(email)
        codes[email] = newest_code()
    steps: list[Callable[[], object]] = [lambda: delete(customer)]
    steps += [partial(client.verify_otp, email, codes[email]) for email, client in clients.items()]
    _deleted, *answers = races.at_once(len(steps), lambda number: steps[number]())
    assert {answer.status for answer in answers if isinstance(answer, Answer)} <= {200, 400, 401, 403}
    assert len(answers) == 6
    assert everything.rows_of(customer.id) == {}
    assert CustomerDeletion.objects.get().finished_at is not None


@pytest.mark.lengthy
def test_a_worker_killed_in_the_middle_loses_nothing_and_another_goes_on(make_worker: Callable[..., Worker]) -> None:
    """By the broker, in processes of their own. The customer's row is held, so that there is a middle."""
    mine, other = factories.customer(), factories.customer()
    many(mine, 6_000)
    many(other, 100)
    deletion = deleting(mine)
    doomed = make_worker(queues="maintenance")

    def left() -> int:
        return User.objects.of(mine.id).count()

    def what_is_written_down_is_what_was_done() -> bool:
        deletion.refresh_from_db()
        return deletion.progress["users.User"] == [6_000 - left(), 6_000]

    with transaction.atomic():
        Customer.objects.select_for_update().get(id=mine.id)
        tasks.delete_customers.delay()
        wait_until(lambda: left() < 6_000)
        doomed.kill()
    wait_until(what_is_written_down_is_what_was_done)  # once PostgreSQL has ended what the worker was at
    assert deletion.finished_at is None
    make_worker(queues="maintenance")

    def gone() -> bool:
        tasks.delete_customers.delay()
        deletion.refresh_from_db()
        return deletion.finished_at is not None

    wait_until(gone)
    assert everything.rows_of(mine.id) == {}
    assert deletion.progress["users.User"] == [6_000, 6_000]
    assert User.objects.of(other.id).count() == 100
    assert Event.objects.filter(action=actions.CUSTOMER_DELETED).count() == 1


def many(customer: Customer, count: int) -> None:
    User.objects.bulk_create(
        User(
            customer=customer,
            email=f"user{number}@example.com",
            email_identity=f"user{number}@example.com",
            created_at=timezone.now(),
        )
        for number in range(count)
    )
