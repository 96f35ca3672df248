#!/bin/sh
# Entry point of the lab's database image: the first start makes the data directory, the users and
# the database from MYSQL_* and /docker-entrypoint-initdb.d/*.sql, as the usual MySQL images do.
set -eu
data=/var/lib/mysql
first=/run/mysqld/first-start.sql

quoted() { printf '%s' "$1" | sed "s/[\\\\']/\\\\&/g"; }

mkdir -p /run/mysqld "$data"
chown mysql:mysql /run/mysqld "$data"
set -- --no-defaults --user=mysql --datadir="$data" --socket=/run/mysqld/mysqld.sock \
  --bind-address=0.0.0.0 --port=3306 --skip-name-resolve --character-set-server=utf8mb4 "$@"

# This table is made by the last statement of the first start: without it, the data is not whole.
if [ ! -e "$data/mysql/lab_first_start_done.frm" ]; then
  if [ ! -d "$data/mysql" ]; then
    echo "entrypoint: making the data directory" >&2
    mariadb-install-db --no-defaults --user=mysql --datadir="$data" \
      --auth-root-authentication-method=normal --skip-test-db >/dev/null
  fi
  root=$(quoted "${MYSQL_ROOT_PASSWORD:?set MYSQL_ROOT_PASSWORD}")
  umask 077
  {
    echo "SET NAMES utf8mb4;"
    echo "ALTER USER root@localhost IDENTIFIED BY '$root';"
    echo "CREATE USER IF NOT EXISTS root@'%' IDENTIFIED BY '$root';"
    echo "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;"
    if [ -n "${MYSQL_DATABASE:-}" ]; then
      echo "CREATE DATABASE IF NOT EXISTS \`$MYSQL_DATABASE\`;"
    fi
    if [ -n "${MYSQL_USER:-}" ]; then
      echo "CREATE USER IF NOT EXISTS '$MYSQL_USER'@'%' IDENTIFIED BY '$(quoted "$MYSQL_PASSWORD")';"
      if [ -n "${MYSQL_DATABASE:-}" ]; then
        echo "GRANT ALL ON \`$MYSQL_DATABASE\`.* TO '$MYSQL_USER'@'%';"
      fi
    fi
    for file in /docker-entrypoint-initdb.d/*.sql; do
      [ -e "$file" ] || continue
      echo "entrypoint: $file" >&2
      if [ -n "${MYSQL_DATABASE:-}" ]; then echo "USE \`$MYSQL_DATABASE\`;"; fi
      cat "$file"
      echo
    done
    echo "CREATE TABLE IF NOT EXISTS mysql.lab_first_start_done (n INT) ENGINE = Aria;"
  } >"$first"
  chown mysql:mysql "$first"
  set -- "$@" --init-file="$first"
fi
exec mariadbd "$@"
