"""One module per environment; `base` holds what they share. Nothing but these differs between them."""
