"""The Celery application: JSON only, acknowledged late, so that a killed worker loses nothing."""

from celery import Celery

from config import environment

environment.choose_settings()

app = Celery("gatehouse")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
