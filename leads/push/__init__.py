"""Notifications that an agent's browser shows: switching them on and off for the browser that asks."""
