"""How long one of the broker's queues is."""

from typing import Any

from celery import Task

# Requests publish too, and must not hang on a broker that accepts connections and says nothing.
PATIENCE_SECONDS = 1.0
PATIENCE = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}


def length(task: "Task[Any, Any]") -> int:
    """How many tasks wait in the queue that this one goes to. Raises what the broker's client raises when it is away."""
    app = task.app
    queue = app.amqp.router.route({}, task.name)["queue"]
    with app.connection_for_write(transport_options=PATIENCE) as broker:
        waiting: int = queue(broker.default_channel).queue_declare().message_count
    return waiting
