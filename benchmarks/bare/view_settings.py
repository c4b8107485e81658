"""Bare view: the same project without middleware."""

from benchmarks.bare.startproject import *  # noqa: F403  (settings modules extend one another this way)

MIDDLEWARE: list[str] = []
ROOT_URLCONF = "benchmarks.bare.plain_view"
