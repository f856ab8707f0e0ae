"""The health server: what monitors, load balancers and people ask over HTTP."""
