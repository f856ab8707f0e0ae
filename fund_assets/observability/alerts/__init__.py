"""Alerts: what is wrong now, who is told of it and when, and over which channel.

`current` makes alerts of facts, `lifecycle` decides which of them are told, `messages`
words them, `channels` carry them. `evaluation` puts these together for the sensor and for the
watcher outside Dagster. docs/alerts.md describes the whole.
"""
