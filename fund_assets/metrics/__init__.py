"""Pure functions on return series: the measures of return and risk."""
