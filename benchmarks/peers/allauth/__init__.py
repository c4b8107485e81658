"""django-allauth, headless, built as its documentation says: client `app`, session tokens, sign-in by code."""
