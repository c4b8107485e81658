"""The Celery application: JSON only, acknowledged late, so that a killed worker loses nothing."""

import os

from celery import Celery

from config import broker, environment, worker_process

environment.choose_settings()
# `manage.py check` says what Django's checks say of our code. Before each start of a worker they would load every page and view.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")
broker.amend_kombu()
worker_process.keep_connections()

app = Celery("gatehouse")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
