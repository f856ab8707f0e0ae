"""The real market: eastmoney (天天基金网), read by strict decoders of our own and by akshare.

Belongs here: its addresses, decoders and quirks. Does not belong here: how requests are made
(`transport/`), what any source offers (`sources/protocol.py`).
"""
