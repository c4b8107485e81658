"""Sign-in."""

from django.urls import path

from apps.signin.views import (
    email_change,
    entering,
    identity_check,
    reauthentication,
    recovery,
    registration,
    second_factor,
    sign_up,
)

urlpatterns = [
    path("api/identity-checks/<uuid:check_id>", identity_check.IdentityCheckAnswer.as_view()),
    path("api/auth/signup", sign_up.SignUp.as_view()),
    path("api/auth/register", registration.Register.as_view()),
    path("api/auth/verify-email", registration.VerifyEmail.as_view()),
    path("api/auth/verify-otp", entering.VerifyOtp.as_view()),
    path("api/auth/login", entering.Login.as_view()),
    path("api/auth/forgot-password", recovery.ForgotPassword.as_view()),
    path("api/auth/reset-password", recovery.ResetPassword.as_view()),
    path("api/auth/change-password", recovery.ChangePassword.as_view()),
    path("api/auth/change-email", email_change.ChangeEmail.as_view()),
    path("api/auth/change-email/confirm", email_change.ConfirmEmail.as_view()),
    path("api/auth/change-email/undo", email_change.UndoEmailChange.as_view()),
    path("api/auth/passkey/options", entering.PasskeyOptions.as_view()),
    path("api/auth/passkey/verify", entering.PasskeyVerify.as_view()),
    path("api/auth/reauthenticate", reauthentication.Reauthenticate.as_view()),
    path("api/auth/reauthenticate/send", reauthentication.Send.as_view()),
    path("api/auth/2fa/send", second_factor.Send.as_view()),
    path("api/auth/2fa/enrol", second_factor.Enrol.as_view()),
    path("api/auth/2fa/verify", second_factor.Verify.as_view()),
]
