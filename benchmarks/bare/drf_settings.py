"""Bare DRF: all that startproject gives, and DRF with JSON alone."""

from benchmarks.bare.startproject import *  # noqa: F403  (settings modules extend one another this way)
from benchmarks.bare.startproject import INSTALLED_APPS as OF_STARTPROJECT

INSTALLED_APPS = [*OF_STARTPROJECT, "rest_framework"]
ROOT_URLCONF = "benchmarks.bare.drf_view"
REST_FRAMEWORK = {"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]}
