"""What is the state of the platform: facts, judgements, and all that shows or tells them.

Belongs here: Dagster's records as facts, findings, the dashboard, the health server
(`server/`), alerts (`alerts/`). Does not belong here: collecting, or changing what is stored.
"""
