#!/bin/bash
# Gives each role of the fleet its rights: runs the lines of grants.sh, each with the operator's login.
set -euo pipefail
umask 077
PATH=$PATH:/opt/kafka/bin
cd "$(mktemp -d)"
login="org.apache.kafka.common.security.scram.ScramLoginModule required username=\"wiredesk-operator\" password=\"$(cat "${WIREDESK_SECRETS:-/run/secrets}/kafka_operator")\";"
printf 'security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=%s\n' "$login" > admin.properties
. "${WIREDESK_KAFKA_FILES:-/wiredesk}/grants.sh"
