"""A real PostgreSQL and a real Valkey for development and tests, started from wheels, shared by a checkout's processes.

One *keeper* process per data folder starts both engines and watches them. Each process that uses them holds a
connection to the keeper: a lease, which the kernel gives back even after kill -9. When the last lease is gone, the
keeper stops both and ends. Whatever kills the keeper ends the engines too (PR_SET_PDEATHSIG): nothing is left behind.
"""

from config.embedded.client import Engines, discard, ensure, status, stop
from config.embedded.places import EmbeddedEngineError

__all__ = ["EmbeddedEngineError", "Engines", "discard", "ensure", "status", "stop"]
