"""Fund Assets: the open data platform for Chinese public mutual funds."""

__version__ = "0.1.0"
