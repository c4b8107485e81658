"""Cleaning up after losing the broker must not fail as well."""

from kombu import Connection, Consumer, Producer, Queue

from config import broker
from tests.engines import OwnValkey


def test_a_channel_with_an_unacknowledged_task_closes_though_the_broker_is_gone(own_valkey: OwnValkey) -> None:
    """C7.2: a worker that loses the broker with a task in its hands goes on."""
    url = own_valkey.url.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
    queue, taken = Queue("trial"), []
    with Connection(url, transport_options={"max_retries": 0, "socket_timeout": 2}) as connection:
        Producer(connection).publish({"a": "task"}, routing_key="trial", declare=[queue])
        consumer = Consumer(connection, queues=[queue], callbacks=[lambda _body, message: taken.append(message)])
        consumer.consume()
        connection.drain_events(timeout=60)
        own_valkey.kill()
        qos_of_channel = consumer.channel.qos
        qos_of_channel.restore_unacked_once()
        qos_of_channel.restore_unacked_once()
        own_valkey.start()
    assert len(taken) == 1
    assert isinstance(qos_of_channel, broker.ForgivingQoS)
