"""A listener that was cut, is silent, is a pooler's, or was forked: everything is forgotten, and what is read is right."""

import os
import time

import pytest
from django.db import connection

from apps.core.state import process
from apps.core.state.lease import duration
from apps.core.state.listener import APPLICATION_NAME, CHANNEL, Listener, ListenerLostError, NotificationsSwallowed
from apps.core.state.process import Process
from config import databases, environment
from tests.pooler import Pooler, pooler
from tests.roundtrips import counted
from tests.state.proxy import Proxy
from tests.state.subject import change_elsewhere, elsewhere, fresh, name_of, write

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["pooler"]

END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()"
COUNT = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()"


def ask(statement: str, *parameters: object) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()[0][0]


def let_the_lease_run_out() -> None:
    time.sleep(duration())


def make_ready_to_retry(own: Process) -> None:
    own.listener._not_before = 0.0


def test_one_that_is_cut_forgets_everything(own_process: Process) -> None:
    customer = fresh()
    assert name_of(customer) == "old"
    write(customer, "new, which nobody announces")
    ask(END, APPLICATION_NAME)
    let_the_lease_run_out()
    assert name_of(customer) == "new, which nobody announces"
    write(customer, "newer")
    assert name_of(customer) == "newer"


def test_one_that_is_back_remembers_nothing_from_before(own_process: Process) -> None:
    customer = fresh()
    assert own_process.lease.holds()
    ask(END, APPLICATION_NAME)
    let_the_lease_run_out()
    assert not own_process.lease.holds()
    assert name_of(customer) == "old"
    change_elsewhere(customer, "new")
    make_ready_to_retry(own_process)
    assert own_process.lease.holds()
    with counted() as cost:
        assert [name_of(customer), name_of(customer)] == ["new", "new"]
    assert len(cost.statements) == 1


def test_one_that_hangs_is_given_up(own_process: Process, proxy: Proxy) -> None:
    customer = fresh()
    assert name_of(customer) == "old"
    proxy.hold()
    change_elsewhere(customer, "new")
    let_the_lease_run_out()
    assert name_of(customer) == "new"
    assert not own_process.listener.is_connected


def test_one_that_ends_without_a_word_is_given_up(own_process: Process, proxy: Proxy) -> None:
    customer = fresh()
    assert name_of(customer) == "old"
    proxy.cut()
    change_elsewhere(customer, "new")
    let_the_lease_run_out()
    assert name_of(customer) == "new"


def test_what_this_version_cannot_read_may_be_about_anything(own_process: Process) -> None:
    customer = fresh()
    assert name_of(customer) == "old"
    write(customer, "new")
    elsewhere(lambda: ask("SELECT pg_notify(%s, 'of a later version')::text", CHANNEL))
    let_the_lease_run_out()
    assert name_of(customer) == "new"


@pytest.fixture
def through_a_pooler(pooler: Pooler, settings: object) -> Pooler:
    url = pooler.url(connection.settings_dict["NAME"])
    settings.LISTENING_DATABASE = databases.bounded(environment.load(), url, is_pooled=True)  # type: ignore[attr-defined]
    return pooler


def test_behind_a_pooler_that_swallows_notifications_each_request_costs_one_query(
    own_process: Process, through_a_pooler: Pooler
) -> None:
    """It accepts LISTEN, and passes nothing on."""
    with pytest.raises(NotificationsSwallowed):
        Listener().connect()
    customer = fresh()
    assert name_of(customer) == "old"
    change_elsewhere(customer, "new")
    with counted() as cost:
        assert [name_of(customer), name_of(customer)] == ["new", "new"]
    assert len(cost.statements) == 2
    assert not own_process.listener.may_connect  # and not every request tries again


def test_nothing_listens_without_a_connection() -> None:
    with pytest.raises(ListenerLostError):
        Listener().hear()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_after_a_fork_the_child_has_a_memory_and_a_connection_of_its_own(own_process: Process) -> None:
    """And does not end its parent's listener."""
    customer = fresh()
    assert name_of(customer) == "old"
    parent_reads, child_writes = os.pipe()
    child = os.fork()
    if child == 0:
        own = process.present()
        said = f"{own is own_process} {len(own.memory)} {own.lease.holds()} {own.listener.is_connected}"
        os.write(child_writes, said.encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(parent_reads, 100) == b"False 0 True True"
    change_elsewhere(customer, "new")
    let_the_lease_run_out()
    assert name_of(customer) == "new"
    assert own_process.listener.is_connected
