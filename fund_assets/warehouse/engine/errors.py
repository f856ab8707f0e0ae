"""What goes wrong with a warehouse.

Belongs here: the exceptions of this package. Does not belong here: deciding which one.
"""

from fund_assets.errors import FundAssetsError


class WarehouseError(FundAssetsError, RuntimeError):
    """The warehouse cannot be used as asked; the message says what to do."""


class NoRightError(WarehouseError):
    """The user that was given may not do this; another one may."""


class TransientError(WarehouseError):
    """The database ended the transaction for a reason that passes: nothing was changed."""
