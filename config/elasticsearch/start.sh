#!/bin/bash
# Starts Elasticsearch with the users and roles of docker-compose.yml, which lie in its own files: `start.sh COMMAND …`.
# The password of a user is the secret elasticsearch_<role>, as it is at this start.
set -euo pipefail
umask 077
home=${ES_HOME:-/usr/share/elasticsearch}
secrets=${WIREDESK_SECRETS:-/run/secrets}
cp "${WIREDESK_ELASTICSEARCH_FILES:-/wiredesk}/roles.yml" "$home/config/roles.yml"
: > "$home/config/users"
: > "$home/config/users_roles"
add() { "$home/bin/elasticsearch-users" useradd "$1" -p "$(cat "$secrets/elasticsearch_$2")" -r "$3"; }
for role in operator sink desk reader; do
    add "wiredesk-$role" "$role" "wiredesk-$role"
done
add wiredesk-kibana kibana kibana_system
add wiredesk-admin admin superuser # imports what Kibana shows; for people in need
exec "$@"
