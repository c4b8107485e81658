"""Tests of what goes out have a name server of their own."""

from tests.core.naming import resolver

__all__ = ["resolver"]
