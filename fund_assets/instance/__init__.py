"""Dagster's instance: where it keeps its state, how it starts runs, and its web server.

Belongs here: storages and the run launcher that `dagster.yaml` names, and finding that file.
Does not belong here: assets, jobs and schedules, or reading Dagster's records
(`observability/`).
"""
