"""Settings, routes and entry points: the only place that knows the environment."""
