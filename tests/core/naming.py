"""A name server that answers what a test tells it to answer, true or not."""

import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest

Resolve = Callable[..., list[str]]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """A name server that answers with these addresses in turn, the last for ever. Returns the names it is asked for.

    `resolver([["127.0.0.1"]], 8080)`: the addresses of each answer, and which port they have instead of what was asked for.
    """

    def answer_with(answers: list[list[str]], other_port: int = 0) -> list[str]:
        asked: list[str] = []

        def getaddrinfo(host: str, port: int, **_options: Any) -> list[Any]:
            found = answers[min(len(asked), len(answers) - 1)]
            asked.append(host)
            return [_entry(address, other_port or port) for address in found]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return answer_with


def _entry(address: str, port: int) -> tuple[Any, ...]:
    v6 = ip_address(address).version == 6
    family = socket.AF_INET6 if v6 else socket.AF_INET
    return family, socket.SOCK_STREAM, 6, "", (address, port, 0, 0) if v6 else (address, port)
