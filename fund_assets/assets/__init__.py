"""The software-defined assets: thin; each reads, calls one function, writes and tells."""
