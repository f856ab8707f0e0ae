"""Dagster's records on a MySQL or MariaDB server, with an end to every wait.

Belongs here: the storage class that `deploy/dagster.yaml` names. Does not belong here: storage
in files (`instance/storage.py`), the fund tables (`warehouse/`).

The stock class has no limits, and passes none on: a server that was frozen and not closed held
daemon, UI and runs for over 150 s at each statement.
"""

from typing import Any

import sqlalchemy as sa
from dagster_mysql import DagsterMySQLStorage
from dagster_mysql.utils import mysql_url_from_config

from fund_assets.instance.dagster_private import ConfigurableClassData

#: Seconds to connect, and for an answer. A frozen server takes three: the statement, its
#: rollback and the farewell.
CONNECT_S, ANSWER_S = 10, 30


class TimedMySQLStorage(DagsterMySQLStorage):
    """The stock storage of a server, each of whose connections has limits of time."""

    def __init__(self, mysql_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        sa.event.listen(sa.Engine, "do_connect", _limit)  # once, however often it is called
        super().__init__(mysql_url, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> "TimedMySQLStorage":
        """As Dagster makes it from its configuration."""
        return cls(mysql_url_from_config(config_value), inst_data)


def _limit(dialect: Any, record: Any, arguments: Any, options: dict[str, Any]) -> None:
    """Give a connection the limits that it does not have; the warehouse's have their own."""
    if dialect.driver == "mysqlconnector":
        options.setdefault("connection_timeout", CONNECT_S)
        options.setdefault("read_timeout", ANSWER_S)
        options.setdefault("write_timeout", ANSWER_S)
