"""The tables as of the first release; older warehouses have them already."""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Nothing: a new warehouse is made from the declarations."""
