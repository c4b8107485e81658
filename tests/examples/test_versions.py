"""The examples name the versions that they are tested with: what they stand on changes, and old names make old examples."""

import json
import re
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.examples.serving import EXAMPLES

INTEROP = EXAMPLES.parent.parent / "tests" / "interop"
LOCK = "package-lock.json"
PIN = re.compile(r"(?P<name>[a-z0-9-]+)(\[[a-z]+\])?==(?P<version>[0-9.]+)")


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*/requirements.txt")), ids=lambda file: file.parent.name)
def test_python(file: Path) -> None:
    pins = [PIN.fullmatch(line) for line in file.read_text().splitlines()]
    assert pins
    assert all(pin is not None and version(pin["name"]) == pin["version"] for pin in pins)


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*/package.json")), ids=lambda file: file.parent.name)
def test_node(file: Path) -> None:
    """As in the lock of its own, or else in that of the tests. A lock names no place that only we can reach."""
    package = json.loads(file.read_text())
    text = next(place for place in (file.with_name(LOCK), INTEROP / LOCK) if place.exists()).read_text()
    locked = json.loads(text)["packages"]
    assert package["dependencies"] == {
        name: locked[f"node_modules/{name}"]["version"] for name in package["dependencies"]
    }
    assert '"resolved"' not in text
