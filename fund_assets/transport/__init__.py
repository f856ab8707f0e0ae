"""Everything that speaks HTTP outward: the gateway, and what keeps it slow, safe and counted.

Belongs here: connections, rate limits, deadlines, the circuit breaker, the archive of raw
answers. Does not belong here: what an answer means (`sources/`).
"""
