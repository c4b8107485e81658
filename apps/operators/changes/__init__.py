"""Changes by operators: asked about first, refused when stale, undone afterwards."""
