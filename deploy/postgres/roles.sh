#!/usr/bin/env bash
# Run once, by the image, over a new cluster: the two roles and the database. The owner migrates; the application's role
# gets its rights table by table from the migrations (storage/migrations/privileges.py).
set -euo pipefail
secrets=${SECRETS_FOLDER:-/run/secrets}
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
  --set owner_password="$(<"$secrets/database_owner_password")" \
  --set app_password="$(<"$secrets/database_app_password")" <<'SQL'
CREATE ROLE lectern_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE lectern_app LOGIN PASSWORD :'app_password';
CREATE DATABASE lectern OWNER lectern_owner TEMPLATE template0 ENCODING 'UTF8';
REVOKE ALL ON DATABASE lectern FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE lectern TO lectern_app;
\connect lectern
CREATE EXTENSION btree_gist;
CREATE EXTENSION pg_trgm;
SQL
