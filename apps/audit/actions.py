"""The names of what can happen. Stable: exports and alerts are built on them."""

CUSTOMER_CREATED = "customer_created"
CUSTOMER_SUSPENDED = "customer_suspended"
CUSTOMER_REACTIVATED = "customer_reactivated"
POLICY_CHANGED = "policy_changed"
ALLOWLIST_CHANGED = "allowlist_changed"
SECRETS_ROTATED = "secrets_rotated"
SERVICE_KEY_ROTATED = "service_key_rotated"

API_KEY_CREATED = "api_key_created"
API_KEY_ROTATED = "api_key_rotated"
API_KEY_REVOKED = "api_key_revoked"
ADDRESS_REFUSED = "address_refused"  # a key used from outside its allowlist

CODE_REQUESTED = "code_requested"
CODE_REJECTED = "code_rejected"
CODE_GUESSING = "code_guessing"  # wrong codes of all a customer's users passed the limit
FIXED_CODE_USED = "fixed_code_used"

USER_CREATED = "user_created"
USER_CHANGED = "user_changed"
USER_DEACTIVATED = "user_deactivated"
USER_REACTIVATED = "user_reactivated"
WRONG_CODES_CLEARED = "wrong_codes_cleared"

SIGN_IN = "sign_in"
LOGOUT = "logout"
SESSION_ENDED = "session_ended"
TOKEN_REFRESHED = "token_refreshed"
REFRESH_TOKEN_REUSED = "refresh_token_reused"
SIGNATURE_FAILED = "signature_failed"
EXPIRED_TOKEN_REPLAYED = "expired_token_replayed"
PROFILE_CHANGED = "profile_changed"

MAIL_RESENT = "mail_resent"

OPERATOR_SIGNED_IN = "operator_signed_in"
OPERATOR_SIGN_IN_FAILED = "operator_sign_in_failed"
OPERATOR_SIGNED_OUT = "operator_signed_out"
OPERATOR_SECOND_FACTOR_CHANGED = "operator_second_factor_changed"
OPERATOR_ADDED = "operator_added"
OPERATOR_CHANGED = "operator_changed"
OPERATOR_DELETED = "operator_deleted"
