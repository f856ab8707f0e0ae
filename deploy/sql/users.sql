-- The databases and users of a production installation on MySQL or MariaDB.
--
-- Run once by the server's administrator: mysql -u root -p < deploy/sql/users.sql
-- Replace every CHANGE_ME by a password of its own; they are set nowhere else.
-- Narrow '%' to the hosts that the services run on where those are known.

CREATE DATABASE IF NOT EXISTS fund_assets CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE DATABASE IF NOT EXISTS dagster CHARACTER SET utf8mb4;

-- fund_ddl: makes and migrates the tables (`fund-assets init`, `fund-assets migrate`), and
-- nothing else. Its password is not given to any service.
CREATE USER IF NOT EXISTS 'fund_ddl'@'%' IDENTIFIED BY 'CHANGE_ME';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, CREATE VIEW,
    SHOW VIEW, CREATE TEMPORARY TABLES ON fund_assets.* TO 'fund_ddl'@'%';

-- fund_rw: the pipeline (FUND_WAREHOUSE_URL of the daemon, code location and command line).
-- It changes rows; it cannot make, change or drop a table.
CREATE USER IF NOT EXISTS 'fund_rw'@'%' IDENTIFIED BY 'CHANGE_ME';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES ON fund_assets.* TO 'fund_rw'@'%';

-- fund_ro: who only looks: `fund-assets serve`, reports, Grafana, notebooks.
CREATE USER IF NOT EXISTS 'fund_ro'@'%' IDENTIFIED BY 'CHANGE_ME';
GRANT SELECT ON fund_assets.* TO 'fund_ro'@'%';

-- dagster: Dagster's own storage, whose tables it makes itself.
CREATE USER IF NOT EXISTS 'dagster'@'%' IDENTIFIED BY 'CHANGE_ME';
GRANT ALL PRIVILEGES ON dagster.* TO 'dagster'@'%';
