"""One-time codes: asked for, sent, tried."""
