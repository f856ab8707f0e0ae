"""The model behind the simulated market; `sources/simulated/source.py` speaks for it.

Every figure is a function of (seed, number of funds, calendar, fund, day) and of nothing
else: no state, no order of calls, no clock. Random numbers are hashes of what they belong
to, and prices are weights times factor walks that start on a fixed day, so both one fund's
whole history and one day's whole market are read directly.
"""
