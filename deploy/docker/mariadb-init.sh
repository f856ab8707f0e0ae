#!/bin/sh
# Run once by the mariadb image on an empty volume: the two databases and their users.
# As deploy/sql/users.sql, with the passwords of the environment. fund_ddl makes and changes
# tables, fund_rw writes rows, fund_ro reads them, dagster has its own database alone.
set -eu
mariadb -uroot -p"$MARIADB_ROOT_PASSWORD" <<SQL
CREATE DATABASE fund CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE DATABASE dagster CHARACTER SET utf8mb4;
CREATE USER 'fund_ddl'@'%' IDENTIFIED BY '$FUND_DDL_PASSWORD';
CREATE USER 'fund_rw'@'%' IDENTIFIED BY '$FUND_RW_PASSWORD';
CREATE USER 'fund_ro'@'%' IDENTIFIED BY '$FUND_RO_PASSWORD';
CREATE USER 'dagster'@'%' IDENTIFIED BY '$DAGSTER_PASSWORD';
GRANT ALL PRIVILEGES ON fund.* TO 'fund_ddl'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES ON fund.* TO 'fund_rw'@'%';
GRANT SELECT ON fund.* TO 'fund_ro'@'%';
GRANT ALL PRIVILEGES ON dagster.* TO 'dagster'@'%';
SQL
