"""Puts our operator site in the place of Django's admin site."""

from django.contrib.admin.apps import AdminConfig


class OperatorAdminConfig(AdminConfig):
    default_site = "apps.operators.site.OperatorSite"
