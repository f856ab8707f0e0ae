"""Reports as self-contained HTML files: the weekly report and the walk-forward page.

Belongs here: words, order and charts of the pages, from plain values, and where files lie. Does
not belong here: reading what they tell of (`pipeline/weekly_report.py`,
`observability/weekly.py`).
"""
