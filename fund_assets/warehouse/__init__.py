"""The tables in a database; the only place that writes SQL."""
