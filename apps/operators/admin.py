"""The pages of the admin: Django's autodiscovery imports this."""

from django.contrib import admin
from django.contrib.auth.models import User as Operator

from apps.alerts.models import Alert, AlertRule
from apps.api_keys.models import ApiKey
from apps.approvals.models import IdentityCheck
from apps.audit.models import Event
from apps.customers.models import Customer
from apps.factors.models import Passkey, Phone, RecoveryCode, Totp
from apps.mail.models import Message
from apps.oauth.models import RegisteredClient
from apps.operators.pages.alert import AlertAdmin, AlertRuleAdmin
from apps.operators.pages.api_key import ApiKeyAdmin
from apps.operators.pages.approval import IdentityCheckAdmin
from apps.operators.pages.audit.event import EventAdmin
from apps.operators.pages.authenticator_app import AuthenticatorAppAdmin
from apps.operators.pages.customers.customer import CustomerAdmin
from apps.operators.pages.fixed_code import FixedCodeAdmin
from apps.operators.pages.mail import MessageAdmin
from apps.operators.pages.oauth_client import OAuthClientAdmin
from apps.operators.pages.operator import OperatorAdmin
from apps.operators.pages.passkey import PasskeyAdmin
from apps.operators.pages.permission import PermissionAdmin
from apps.operators.pages.phone import PhoneAdmin
from apps.operators.pages.recovery_code import RecoveryCodeAdmin
from apps.operators.pages.role import RoleAdmin
from apps.operators.pages.service_key import ServiceKeyPairAdmin
from apps.operators.pages.session import SessionAdmin
from apps.operators.pages.users.user import UserAdmin
from apps.otp.models import FixedCode
from apps.payloads.models import ServiceKeyPair
from apps.tokens.models import Session
from apps.users.models import Permission, Role, User

admin.site.register(Customer, CustomerAdmin)
admin.site.register(ApiKey, ApiKeyAdmin)
admin.site.register(RegisteredClient, OAuthClientAdmin)
admin.site.register(FixedCode, FixedCodeAdmin)

admin.site.register(User, UserAdmin)
admin.site.register(IdentityCheck, IdentityCheckAdmin)
admin.site.register(Role, RoleAdmin)
admin.site.register(Permission, PermissionAdmin)
admin.site.register(Session, SessionAdmin)
admin.site.register(Totp, AuthenticatorAppAdmin)
admin.site.register(Passkey, PasskeyAdmin)
admin.site.register(Phone, PhoneAdmin)
admin.site.register(RecoveryCode, RecoveryCodeAdmin)

admin.site.register(Message, MessageAdmin)
admin.site.register(Alert, AlertAdmin)
admin.site.register(AlertRule, AlertRuleAdmin)
admin.site.register(Event, EventAdmin)
admin.site.register(ServiceKeyPair, ServiceKeyPairAdmin)
admin.site.register(Operator, OperatorAdmin)
