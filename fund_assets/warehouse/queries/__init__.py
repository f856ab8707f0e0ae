"""What is read for people: histories, metrics, the quarantine, the state of the tables.

Belongs here: statements that change nothing. Does not belong here: writes (`stores/`).
"""
