#!/bin/sh
# Run once by the mariadb image on an empty volume: the two databases and their users.
# The rights are those of deploy/sql; the passwords come from the environment.
set -eu
mariadb -uroot -p"$MARIADB_ROOT_PASSWORD" <<SQL
CREATE DATABASE fund CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE DATABASE dagster CHARACTER SET utf8mb4;
CREATE USER 'fund_rw'@'%' IDENTIFIED BY '$FUND_RW_PASSWORD';
CREATE USER 'fund_ro'@'%' IDENTIFIED BY '$FUND_RO_PASSWORD';
CREATE USER 'dagster'@'%' IDENTIFIED BY '$DAGSTER_PASSWORD';
GRANT ALL PRIVILEGES ON fund.* TO 'fund_rw'@'%';
GRANT SELECT ON fund.* TO 'fund_ro'@'%';
GRANT ALL PRIVILEGES ON dagster.* TO 'dagster'@'%';
SQL
