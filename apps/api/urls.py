"""Every path of the API, in full."""

from django.urls import path, re_path

from apps.api import file_content, files, identity_checks, sandbox, well_known
from apps.api.auth import (
    cookie_session,
    email_change,
    introspection,
    login,
    logout,
    me,
    me_export,
    one_time_code,
    passkey,
    password,
    reauthentication,
    refresh,
    registration,
    revocation,
    sessions,
    sign_up,
)
from apps.api.auth.second_factor import authenticator_app, challenge, overview, passkeys, phone, recovery_codes
from apps.api.customer import clients as customer_clients
from apps.api.customers import well_known as customer_well_known
from apps.api.forward_auth.view import VerifyView
from apps.api.internal import verify_user
from apps.api.oauth import revocation as client_revocation
from apps.api.oauth import token, userinfo

urlpatterns = [
    # Django tries one after another (0.6 µs each): what is called most comes first.
    path("api/auth/me", me.MeView.as_view()),
    path("api/auth/introspect", introspection.IntrospectView.as_view()),
    path("api/auth/refresh", refresh.RefreshView.as_view()),
    path("api/auth/verify-otp", one_time_code.VerifyOtpView.as_view()),
    path("api/auth/request-otp", one_time_code.RequestOtpView.as_view()),
    path("api/auth/cookie-session", cookie_session.CookieSessionView.as_view()),
    # The rest, by subject.
    path("api/auth/signup", sign_up.SignUpView.as_view()),
    path("api/auth/register", registration.RegisterView.as_view()),
    path("api/auth/verify-email", registration.VerifyEmailView.as_view()),
    path("api/auth/login", login.LoginView.as_view()),
    path("api/auth/passkey/options", passkey.PasskeySignInOptionsView.as_view()),
    path("api/auth/passkey/verify", passkey.PasskeySignInView.as_view()),
    path("api/auth/2fa/send", challenge.SecondFactorSendView.as_view()),
    path("api/auth/2fa/enrol", challenge.SecondFactorEnrolView.as_view()),
    path("api/auth/2fa/verify", challenge.SecondFactorVerifyView.as_view()),
    path("api/auth/forgot-password", password.ForgotPasswordView.as_view()),
    path("api/auth/reset-password", password.ResetPasswordView.as_view()),
    path("api/auth/change-password", password.ChangePasswordView.as_view()),
    path("api/auth/change-email", email_change.ChangeEmailView.as_view()),
    path("api/auth/change-email/confirm", email_change.ConfirmEmailChangeView.as_view()),
    path("api/auth/change-email/undo", email_change.UndoEmailChangeView.as_view()),
    path("api/auth/reauthenticate", reauthentication.ReauthenticateView.as_view()),
    path("api/auth/reauthenticate/send", reauthentication.ReauthenticateSendView.as_view()),
    path("api/auth/2fa", overview.SecondFactorOverviewView.as_view()),
    path("api/auth/2fa/totp", authenticator_app.AuthenticatorAppView.as_view()),
    path("api/auth/2fa/totp/confirm", authenticator_app.ConfirmAuthenticatorAppView.as_view()),
    path("api/auth/2fa/sms", phone.PhoneView.as_view()),
    path("api/auth/2fa/sms/confirm", phone.ConfirmPhoneView.as_view()),
    path("api/auth/2fa/passkeys", passkeys.PasskeysView.as_view()),
    path("api/auth/2fa/passkeys/options", passkeys.PasskeyCreationOptionsView.as_view()),
    path("api/auth/2fa/passkeys/<uuid:passkey_id>", passkeys.PasskeyView.as_view()),
    path("api/auth/2fa/recovery-codes", recovery_codes.RecoveryCodesView.as_view()),
    path("api/auth/logout", logout.LogoutView.as_view()),
    path("api/auth/me/export", me_export.ExportView.as_view()),
    path("api/auth/sessions", sessions.SessionsView.as_view()),
    path("api/auth/sessions/<uuid:session_id>", sessions.SessionView.as_view()),
    path("api/auth/revoke", revocation.RevokeView.as_view()),
    path("api/files", files.FilesView.as_view()),
    path("api/files/<uuid:file_id>", files.FileView.as_view()),
    path("api/files/<uuid:file_id>/content", file_content.FileContentView.as_view()),
    path("api/internal/verify-user", verify_user.VerifyUserView.as_view()),
    path("api/oauth/token", token.TokenView.as_view()),
    path("api/oauth/revoke", client_revocation.ClientRevocationView.as_view()),
    path("api/oauth/userinfo", userinfo.UserInfoView.as_view()),
    path("api/customer/clients", customer_clients.ClientsView.as_view()),
    path("api/customer/clients/<uuid:client_id>", customer_clients.ClientView.as_view()),
    path("api/customer/clients/<uuid:client_id>/rotate-secret", customer_clients.RotateClientSecretView.as_view()),
    path("verify", VerifyView.as_view()),
    re_path(r"^verify/[^/]*/", VerifyView.as_view(schema=None)),  # behind the second slash stands the client's own path
    path("api/sandbox/messages", sandbox.SandboxMessagesView.as_view()),
    path("api/identity-checks/<uuid:check_id>", identity_checks.IdentityCheckAnswerView.as_view()),
    path(".well-known/jwks.json", well_known.service_jwks),
    path("customers/<slug:slug>/.well-known/jwks.json", customer_well_known.CustomerJwksView.as_view()),
    path(
        "customers/<slug:slug>/.well-known/openid-configuration",
        customer_well_known.CustomerConfigurationView.as_view(),
    ),
    path(
        ".well-known/oauth-authorization-server/customers/<slug:slug>",
        customer_well_known.AuthorizationServerMetadataView.as_view(),
    ),
]
