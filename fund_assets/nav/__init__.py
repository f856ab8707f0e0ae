"""Pure functions on NAV series: returns and the total-return index."""
