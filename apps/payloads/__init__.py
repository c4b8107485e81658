"""The two encrypted envelopes, as DRF parser and renderer, and the service's own keys."""
