"""Data that people take away: files of whole tables, and frames for research.

Belongs here: what can be taken, its types outside the warehouse, the files and the Python
API. Does not belong here: options and progress bars (`cli/`), statements of the pipeline
(`warehouse/`), formulas (`metrics/`).
"""
