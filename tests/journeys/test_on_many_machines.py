"""The service as it runs on many machines: a Valkey cluster, PostgreSQL with a streaming standby, PgBouncer in between, and a broker.

The broker is a Valkey of its own, for Celery speaks to no cluster. Nodes and servers die as machines do.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection

from apps.core import valkey
from apps.customers.models import Customer
from demo.client import Answer, Client
from tests import factories
from tests.pooler import Pooler, pooler
from tests.running import Running
from tests.standby import Pair, pair
from tests.valkey_cluster import ValkeyCluster, valkey_cluster
from tests.worker import wait_until

__all__ = ["pair", "pooler", "valkey_cluster"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.lengthy]


@dataclass(frozen=True)
class Tenant:
    """A customer, and a client with its key."""

    id: UUID
    client: Client


@dataclass(frozen=True)
class Installation:
    """Everything, running."""

    running: Running
    cluster: ValkeyCluster
    pair: Pair
    pooler: Pooler
    tenants: tuple[Tenant, ...]

    def request_code(self, tenant: Tenant, email: str) -> str:
        """Ask for a code, and wait for its mail: a worker has sent it."""
        before = len(self.running.mailbox.codes(email))
        answer = tenant.client.request_otp(email)
        assert answer.status == 200, answer.document
        return self.running.mailbox.wait_for_code(email, count=before + 1)

    def sign_in(self, tenant: Tenant, email: str) -> dict[str, str]:
        answer = tenant.client.verify_otp(email, self.request_code(tenant, email))
        assert answer.status == 200, answer.document
        tokens: dict[str, str] = answer.document
        return tokens


@pytest.fixture
def installation(
    request: pytest.FixtureRequest, make_running: Callable[..., Running], valkey_cluster: ValkeyCluster, pooler: Pooler
) -> Iterator[Installation]:
    rows = [*customers(2), *customers_on_every_node(valkey_cluster, 4)]
    keys = [factories.api_key(row)[1] for row in rows]
    few = rows[0]
    factories.limit(few, "codes_per_email", 4)
    factories.policy(rows[1], monthly_code_quota=2)  # a day may end meanwhile
    pair: Pair = request.getfixturevalue("pair")  # copies what has been made here
    name = str(connection.settings_dict["NAME"])
    pooler.stop()
    pooler.leads_to, pooler.patience = pair.primary.url(name), 3
    pooler.start()
    running = make_running(
        **valkey_cluster.environment,
        CELERY_BROKER_URL=settings.CELERY_BROKER_URL,
        DATABASE_URL=pooler.url(name),
        DATABASE_LISTEN_URL=pair.primary.url(name, others=pair.standby.host),
    )
    service_key = settings.SERVICE_ENCRYPTION_KEY
    clients = [running.server.client(api_key=key, service_key=service_key) for key in keys]
    tenants = tuple(Tenant(row.id, client) for row, client in zip(rows, clients, strict=True))
    yield Installation(running, valkey_cluster, pair, pooler, tenants)


def customers(count: int) -> list[Customer]:
    return [factories.customer(code_resend_after=1) for _ in range(count)]


def customers_on_every_node(cluster: ValkeyCluster, count: int) -> list[Customer]:
    """Where a customer's keys are, its id decides, which is drawn at random."""
    drawn = customers(count)
    nodes = {cluster.primary_of(valkey.key(row.id, "any")) for row in drawn}
    return drawn if len(nodes) == len(cluster.sizes()) else customers_on_every_node(cluster, count)


def test_machines_die_and_the_service_goes_on(installation: Installation) -> None:
    everybody_signs_in_refreshes_and_signs_out(installation)
    a_quota_of_two_gives_two(installation)
    a_node_of_valkey_dies_between_a_code_and_its_use(installation)
    postgresql_dies_and_its_standby_takes_over(installation)


def everybody_signs_in_refreshes_and_signs_out(at: Installation) -> None:
    """No script and no pipeline asks for keys of two slots, whichever node has a customer's keys."""
    for number, tenant in enumerate(at.tenants[2:]):
        tokens = at.sign_in(tenant, f"ada-{number}@example.com")
        renewed = tenant.client.refresh(tokens["refresh_token"])
        assert renewed.status == 200, renewed.document
        access = renewed.document["access_token"]
        assert me(tenant, access).document["email"] == f"ada-{number}@example.com"
        assert tenant.client.post("/api/auth/logout", {}, token=access).status == 200
        assert me(tenant, access).status == 401
    wrong = [at.tenants[2].client.verify_otp("nobody@example.com", "000000") for _ in range(6)]
    assert [answer.status for answer in wrong] == [400, 400, 400, 400, 400, 429]
    assert at.running.server.client().call("GET", "/readyz").document["valkey"] == "ok"
    assert all(at.cluster.sizes())


def a_quota_of_two_gives_two(at: Installation) -> None:
    tenant = at.tenants[1]
    for number in range(2):
        at.request_code(tenant, f"quota-{number}@example.com")
    refused = tenant.client.request_otp("quota-2@example.com")
    assert (refused.status, refused.error_type) == (429, "quota_exceeded")


def a_node_of_valkey_dies_between_a_code_and_its_use(at: Installation) -> None:
    """Until its replica takes over, its customers' codes are 503; then they go on with what was counted, and all else went on."""
    tenant, email = at.tenants[0], "failover@example.com"
    tokens = at.sign_in(tenant, email)
    for _ in range(2):
        time.sleep(1.1)  # the customer's wait between two codes
        code = at.request_code(tenant, email)
    key = valkey.key(tenant.id, "any")
    node = at.cluster.primary_of(key)
    assert node.is_copied(key)
    node.kill()  # the others bear with its silence until `lose`
    refused = tenant.client.verify_otp(email, code)
    assert (refused.status, refused.error_type) == (503, "temporarily_unavailable")
    at.cluster.lose(node)
    seen = answers_until(lambda: tenant.client.verify_otp(email, code), done=lambda answer: answer.status != 503)
    assert seen[-1].status == 200, seen[-1].document
    assert me(tenant, tokens["access_token"]).status == 200
    asked = []
    for _ in range(3):
        time.sleep(1.1)
        asked.append(tenant.client.request_otp(email))
    assert [answer.status for answer in asked] == [200, 429, 429]
    assert asked[-1].document["error"]["limit"] == "codes_per_email"
    at.cluster.heal()  # else the others' keys may still be where nobody answers


def postgresql_dies_and_its_standby_takes_over(at: Installation) -> None:
    """Every commit was on the standby before its call was answered: what was signed out stays so, and the others go on."""
    tenant = at.tenants[3]
    stays, leaves = at.sign_in(tenant, "stays@example.com"), at.sign_in(tenant, "leaves@example.com")
    assert me(tenant, stays["access_token"]).status == 200
    assert tenant.client.post("/api/auth/logout", {}, token=leaves["access_token"]).status == 200
    at.pair.primary.kill()
    assert me(tenant, stays["access_token"]).status == 503
    at.pooler.stop()
    at.pair.standby.promote()
    at.pooler.leads_to = at.pair.standby.url(str(connection.settings_dict["NAME"]))
    at.pooler.start()
    back = answers_until(lambda: me(tenant, stays["access_token"]), done=lambda answer: answer.status != 503)
    assert back[-1].document["email"] == "stays@example.com"
    assert me(tenant, leaves["access_token"]).status == 401
    assert tenant.client.refresh(leaves["refresh_token"]).status == 401
    # The process found the new primary by itself. It tries once a second, when it is asked something: nobody who is asked
    # nothing has to know what was revoked.
    answers_until(lambda: me(tenant, stays["access_token"]), done=lambda _: listeners(at.pair) == 1)
    renewed = tenant.client.refresh(stays["refresh_token"]).document
    assert tenant.client.post("/api/auth/logout", {}, token=renewed["access_token"]).status == 200
    assert me(tenant, renewed["access_token"]).status == 401
    assert at.sign_in(tenant, "new@example.com")["access_token"]


def me(tenant: Tenant, access: str) -> Answer:
    return tenant.client.get("/api/auth/me", token=access)


def listeners(pair: Pair) -> int:
    found = pair.standby.ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gatehouse listener'")
    assert found is not None
    return int(str(found[0]))


def answers_until(call: Callable[[], Answer], *, done: Callable[[Answer], bool]) -> list[Answer]:
    """Call again and again until it is done; all answers."""
    answers: list[Answer] = []
    wait_until(lambda: answers.append(call()) or done(answers[-1]))
    return answers
