#!/bin/bash
# Starts the broker of docker-compose.yml. The first start formats its folder, with a user for each role of the fleet, whose
# passwords are the secrets kafka_<role>. Later, `kafka-configs.sh --alter --entity-type users` changes a password.
set -euo pipefail
umask 077
PATH=$PATH:/opt/kafka/bin
files=${WIREDESK_KAFKA_FILES:-/wiredesk}
secrets=${WIREDESK_SECRETS:-/run/secrets}
work=$(mktemp -d)

login="org.apache.kafka.common.security.scram.ScramLoginModule required username=\"wiredesk-operator\" password=\"$(cat "$secrets/kafka_operator")\";"
cp "$files/server.properties" "$work/server.properties"
chmod 600 "$work/server.properties"
echo "listener.name.inside.scram-sha-512.sasl.jaas.config=$login" >> "$work/server.properties"
# for the health check
printf 'security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=%s\n' "$login" > "${WIREDESK_ADMIN:-/tmp/admin.properties}"

users=()
for role in operator poller worker routes sink webhooks desk; do
    users+=(--add-scram "SCRAM-SHA-512=[name=wiredesk-$role,password=$(cat "$secrets/kafka_$role")]")
done
kafka-storage.sh format --ignore-formatted --cluster-id d2lyZWRlc2stZmxlZXQtMQ --config "$work/server.properties" "${users[@]}"
exec kafka-server-start.sh "$work/server.properties"
