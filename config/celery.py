"""The Celery application: JSON only, acknowledged late, so that a killed worker loses nothing."""

from celery import Celery

from config import broker, environment

environment.choose_settings()
broker.amend_kombu()

app = Celery("gatehouse")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
