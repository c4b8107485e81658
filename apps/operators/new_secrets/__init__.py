"""New keys and secrets: shown once, with a call that uses them."""
