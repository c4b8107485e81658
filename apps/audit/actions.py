"""The names of everything that can happen. They never change: exports and alerts depend on them."""

CUSTOMER_CREATED = "customer_created"
CUSTOMER_SUSPENDED = "customer_suspended"
CUSTOMER_REACTIVATED = "customer_reactivated"
CUSTOMER_DELETION_STARTED = "customer_deletion_started"
CUSTOMER_DELETED = "customer_deleted"  # everything of it is gone but the audit trail: `name`, `slug`
POLICY_CHANGED = "policy_changed"
ALLOWLIST_CHANGED = "allowlist_changed"
SECRETS_ROTATED = "secrets_rotated"
SERVICE_KEY_ROTATED = "service_key_rotated"

API_KEY_CREATED = "api_key_created"
API_KEY_ROTATED = "api_key_rotated"
API_KEY_REVOKED = "api_key_revoked"
ADDRESS_REFUSED = "address_refused"  # a key was used from outside the allowlist

OAUTH_CLIENT_CREATED = "oauth_client_created"
OAUTH_CLIENT_CHANGED = "oauth_client_changed"
OAUTH_CLIENT_SECRET_ROTATED = "oauth_client_secret_rotated"
OAUTH_CLIENT_DISABLED = "oauth_client_disabled"
OAUTH_CLIENT_ENABLED = "oauth_client_enabled"
OAUTH_CLIENT_DELETED = "oauth_client_deleted"
OAUTH_CLIENT_REJECTED = "oauth_client_rejected"  # it could not be authenticated
AUTHORIZATION_GRANTED = "authorization_granted"  # a client was given a code for a user
AUTHORIZATION_REDEEMED = "authorization_redeemed"  # the code was exchanged for tokens
AUTHORIZATION_REJECTED = "authorization_rejected"  # a code of another client, address or verifier
AUTHORIZATION_REUSED = "authorization_reused"  # a code came a second time: what it gave has ended

REFUSED = "refused"  # by a rule that has no action of its own: `rule`
REFUSALS_LEFT_OUT = "refusals_left_out"  # in a flood: only their number is known, `count`

CODE_REQUESTED = "code_requested"
CODE_REJECTED = "code_rejected"
CODE_GUESSING = "code_guessing"  # all users of a customer together passed the limit of wrong codes
FIXED_CODE_USED = "fixed_code_used"

USER_CREATED = "user_created"
USER_CHANGED = "user_changed"
USER_DEACTIVATED = "user_deactivated"
USER_REACTIVATED = "user_reactivated"
WRONG_CODES_CLEARED = "wrong_codes_cleared"

USER_REGISTERED = "user_registered"
USER_APPROVED = "user_approved"
USER_REJECTED = "user_rejected"
USERS_IMPORTED = "users_imported"
USER_ERASED = "user_erased"
USER_EXPORTED = "user_exported"
EMAIL_VERIFIED = "email_verified"
EMAIL_CHANGE_REQUESTED = "email_change_requested"
EMAIL_CHANGED = "email_changed"
EMAIL_CHANGE_UNDONE = "email_change_undone"
EMAIL_CHANGE_UNDO_REJECTED = "email_change_undo_rejected"
ROLE_CHANGED = "role_changed"  # made, changed or deleted: `what`
PERMISSION_CHANGED = "permission_changed"

SIGN_IN = "sign_in"
REAUTHENTICATED = "reauthenticated"  # somebody signed in has proven once more who they are
REAUTHENTICATION_ASKED = "reauthentication_asked"  # a code was sent for it
REAUTHENTICATION_REJECTED = "reauthentication_rejected"
PASSWORD_REJECTED = "password_rejected"
PASSWORD_LOCKED = "password_locked"
PASSWORD_CHANGED = "password_changed"
PASSWORD_RESET_REQUESTED = "password_reset_requested"
PASSWORD_RESET = "password_reset"
PASSWORD_RESET_REJECTED = "password_reset_rejected"
SECOND_FACTOR_ASKED = "second_factor_asked"
SECOND_FACTOR_SENT = "second_factor_sent"
SECOND_FACTOR_REJECTED = "second_factor_rejected"
FACTOR_ENROLLED = "factor_enrolled"
FACTOR_RENAMED = "factor_renamed"
FACTOR_REMOVED = "factor_removed"
RECOVERY_CODES_MADE = "recovery_codes_made"
RECOVERY_CODE_USED = "recovery_code_used"
PASSKEY_REJECTED = "passkey_rejected"
PASSKEY_CLONED = "passkey_cloned"  # its sign counter did not go up
NEW_DEVICE = "new_device"
NEW_COUNTRY = "new_country"  # of a user who has signed in from others
MANY_NETWORKS = "many_networks"  # one account, used from many networks in a short time
DEVICE_REMEMBERED = "device_remembered"  # it is not asked for the second factor for some days
DEVICES_FORGOTTEN = "devices_forgotten"  # ended by their user: `remembered`, or `count` for all
ROLE_ESCALATION_ATTEMPT = "role_escalation_attempt"
TOKEN_REVOKED = "token_revoked"
IDENTITY_CHECK_ASKED = "identity_check_asked"
LOGOUT = "logout"
SESSION_ENDED = "session_ended"
TOKEN_REFRESHED = "token_refreshed"
REFRESH_TOKEN_REUSED = "refresh_token_reused"
SIGNATURE_FAILED = "signature_failed"
EXPIRED_TOKEN_REPLAYED = "expired_token_replayed"
PROFILE_CHANGED = "profile_changed"

FILE_UPLOADED = "file_uploaded"
FILE_OPENED = "file_opened"
FILE_DELETED = "file_deleted"

MAIL_RESENT = "mail_resent"
TEST_MAIL_SENT = "test_mail_sent"  # by an operator, to see how a customer's mails look

ALERT_RAISED = "alert_raised"
ALERT_ACKNOWLEDGED = "alert_acknowledged"
ALERT_RULE_ADDED = "alert_rule_added"
ALERT_RULE_CHANGED = "alert_rule_changed"
ALERT_RULE_DELETED = "alert_rule_deleted"

CHANGE_UNDONE = "change_undone"  # by an operator, from its event: `event`

OPERATOR_SIGNED_IN = "operator_signed_in"
OPERATOR_SIGN_IN_FAILED = "operator_sign_in_failed"
OPERATOR_SIGNED_OUT = "operator_signed_out"
OPERATOR_GUESSING = "operator_guessing"  # of a password from many networks, or of a second factor
OPERATOR_PROVEN = "operator_proven"  # once more, for a grave change: by a code of the second factor, or by the password
OPERATOR_PROOF_REJECTED = "operator_proof_rejected"
OPERATOR_SECOND_FACTOR_CHANGED = "operator_second_factor_changed"
OPERATOR_SESSIONS_ENDED = "operator_sessions_ended"  # by the operator: `count`
OPERATOR_INVITED = "operator_invited"  # a mail went out, for the first time or again: `name`
OPERATOR_INVITATION_WITHDRAWN = "operator_invitation_withdrawn"
OPERATOR_INVITATION_ACCEPTED = "operator_invitation_accepted"
OPERATOR_PASSWORD_RESET_REQUESTED = (
    "operator_password_reset_requested"  # by anybody, for an address that may be nobody's
)
OPERATOR_LINK_SENT = "operator_link_sent"  # for a new password, by another administrator: `name`
OPERATOR_PASSWORD_RESET = "operator_password_reset"
OPERATOR_LINK_REJECTED = "operator_link_rejected"
OPERATOR_FACTORS_RESET = "operator_factors_reset"  # by another administrator: `name`, `why`
OPERATOR_PASSKEY_CLONED = "operator_passkey_cloned"  # its counter did not go up: there may be a copy
OPERATOR_IDENTITY_BOUND = "operator_identity_bound"  # to a subject of the OpenID Connect provider, at the first sign-in
OPERATOR_ADDED = "operator_added"
OPERATOR_CHANGED = "operator_changed"
OPERATOR_DELETED = "operator_deleted"

AUDIT_EXPORTED = "audit_exported"
AUDIT_VERIFICATION_STARTED = "audit_verification_started"
AUDIT_VERIFIED = "audit_verified"  # `result`: whole or broken

ALL = frozenset(value for name, value in globals().items() if name.isupper())
