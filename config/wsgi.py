"""The WSGI entry point that granian serves: `granian --interface wsgi config.wsgi:application`."""

from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

from config import environment, web_process

environment.choose_settings(otherwise=environment.PRODUCTION)  # a developer's server is `manage.py runserver`

django = get_wsgi_application()
# What is asked most is answered before Django's handler. Imported by name: now the apps are loaded.
refreshing = import_string("apps.api.auth.refresh_shortcut.RefreshShortcut")(django)
telling_who = import_string("apps.api.auth.me_shortcut.MeShortcut")(refreshing)
application = import_string("apps.api.forward_auth.shortcut.ForwardAuthShortcut")(telling_who)
web_process.prepare()
