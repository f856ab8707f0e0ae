"""Where the market comes from: eastmoney through akshare, or a simulated market.

Belongs here: what every source offers (`protocol.py`), a folder for each source. Does not
belong here: the network (`transport/`), rules on what came (`nav/`).
"""
