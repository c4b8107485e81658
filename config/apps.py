"""Replaces Django's admin site by our operator site."""

from django.contrib.admin.apps import AdminConfig


class OperatorAdminConfig(AdminConfig):
    default_site = "apps.operators.site.OperatorSite"
