"""Runs a model of the user in the user's own Python; see `service` for what can be asked of it."""
