"""One module per change of released tables, in the order of their numbers."""
