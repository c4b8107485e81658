"""The WSGI entry point that granian serves: `granian --interface wsgi config.wsgi:application`."""

from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

from config import environment, web_process

environment.choose_settings(otherwise=environment.PRODUCTION)  # a developer's server is `manage.py runserver`

# What is asked most is answered before Django's handler, and what is asked most often of that stands in front. Bodies are measured
# behind those that read none.
IN_FRONT = [
    "apps.api.forward_auth.shortcut.ForwardAuthShortcut",
    "apps.api.auth.me_shortcut.MeShortcut",
    "apps.core.body_length.BodyLength",
    "apps.api.auth.refresh_shortcut.RefreshShortcut",
    "apps.api.auth.one_time_code_shortcuts.VerifyOtpShortcut",
    "apps.api.auth.one_time_code_shortcuts.RequestOtpShortcut",
]

application = get_wsgi_application()
for name in reversed(IN_FRONT):
    application = import_string(name)(application)  # imported by name: now the apps are loaded
web_process.prepare()
