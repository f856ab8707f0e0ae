"""Fund Assets: the open data platform for Chinese public mutual funds.

For research: `from fund_assets import Funds` (docs/export.md). Importing the package loads
nothing else.
"""

from typing import TYPE_CHECKING, Any

from fund_assets.version import __version__

if TYPE_CHECKING:
    from fund_assets.export.research import Funds as Funds
    from fund_assets.export.research import PolarsFunds as PolarsFunds

__all__ = ["Funds", "PolarsFunds", "__version__"]


def __getattr__(name: str) -> Any:
    if name in ("Funds", "PolarsFunds"):
        from fund_assets.export import research

        return getattr(research, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
