"""The tables in a database; the only package that writes SQL."""

from fund_assets.warehouse.engine.errors import WarehouseError
from fund_assets.warehouse.warehouse import Warehouse

__all__ = ["Warehouse", "WarehouseError"]
