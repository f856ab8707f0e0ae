"""Tables, columns and fund kinds, each declared once; pure, without Dagster or SQL."""
