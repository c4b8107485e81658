"""dj-rest-auth, built as its documentation says, with its default: DRF's tokens, and sign-in by password."""
