"""What somebody wanted when they were refused, as events name it. Like actions, these names never change."""

CALL = "call"  # any request with an API key, or none
CALL_WITH_TOKEN = "call_with_token"
OPEN_PAGE = "open_page"
ASK_FOR_CODE = "ask_for_code"
GIVE_CODE = "give_code"
GIVE_PASSWORD = "give_password"
GIVE_PASSKEY = "give_passkey"
ASK_FOR_SECOND_FACTOR = "ask_for_second_factor"
GIVE_SECOND_FACTOR = "give_second_factor"
ENROL_FACTOR = "enrol_factor"
REFRESH = "refresh"
REGISTER = "register"
SIGN_UP = "sign_up"
FORGOT_PASSWORD = "forgot_password"
RESET_PASSWORD = "reset_password"
UNDO_EMAIL_CHANGE = "undo_email_change"
REAUTHENTICATE = "reauthenticate"

ALL = frozenset(value for name, value in globals().items() if name.isupper())
