"""What goes wrong with a warehouse.

Belongs here: the exceptions of this package. Does not belong here: deciding which one.
"""

from fund_assets.errors import FundAssetsError
from fund_assets.language import later

#: What people are told wherever tables are wanted that have not been made.
NO_WAREHOUSE = later("no warehouse exists yet at {place}: run `fund-assets run` first")


class WarehouseError(FundAssetsError, RuntimeError):
    """The warehouse cannot be used as asked; the message says what to do."""


class NoWarehouseError(WarehouseError):
    """Its tables have not been made yet."""

    def __init__(self, place: str) -> None:
        super().__init__(NO_WAREHOUSE.format(place=place))


class NoRightError(WarehouseError):
    """The user that was given may not do this; another one may."""


class TransientError(WarehouseError):
    """The database ended the transaction for a reason that passes: nothing was changed."""
