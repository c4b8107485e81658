"""Who the operators are: Django's own users and groups, on unfold's pages."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from apps.audit.admin_base import AuditedAdmin

for model in (User, Group, StaticDevice, TOTPDevice):
    # django-otp's own pages show seeds and recovery codes: operators enrol on the page made for it.
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(User)
class OperatorAdmin(AuditedAdmin, UserAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "is_active", "is_staff", "is_superuser", "last_login")


@admin.register(Group)
class OperatorGroupAdmin(AuditedAdmin, GroupAdmin):
    """Sets of permissions."""
