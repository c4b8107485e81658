"""The WSGI entry point that granian serves: `granian --interface wsgi config.wsgi:application`."""

from django.core.wsgi import get_wsgi_application

from config import environment

environment.choose_settings(otherwise=environment.PRODUCTION)  # a developer's server is `manage.py runserver`

application = get_wsgi_application()
