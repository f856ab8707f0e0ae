#!/bin/sh
# Run once by the mariadb image on an empty volume: users.sql with the passwords of the
# environment, which are plain letters and digits (see .env.example).
set -eu
password() { # of which user
    case $1 in
    fund_ddl) echo "$FUND_DDL_PASSWORD" ;;
    fund_rw) echo "$FUND_RW_PASSWORD" ;;
    fund_ro) echo "$FUND_RO_PASSWORD" ;;
    dagster) echo "$DAGSTER_PASSWORD" ;;
    esac
}
script=$(cat "${USERS_SQL:-/opt/users.sql}")
for user in fund_ddl fund_rw fund_ro dagster; do
    script=$(printf '%s\n' "$script" |
        sed "s|'$user'@'%' IDENTIFIED BY 'CHANGE_ME'|'$user'@'%' IDENTIFIED BY '$(password $user)'|")
done
printf '%s\n' "$script" | MYSQL_PWD="$MARIADB_ROOT_PASSWORD" mariadb -uroot
