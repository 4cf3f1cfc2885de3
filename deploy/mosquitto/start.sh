#!/bin/sh
# Starts the broker in its container: the service accounts get the passwords of the environment,
# devices keep the ones that they were given.
set -eu
umask 077

own=/mosquitto/secrets
passwords=$own/passwords
cp /mosquitto/config/acl.conf $own/acl.conf
cp /mosquitto/config/mosquitto.conf $own/mosquitto.conf
if [ "${HEARTHLINE_BROKER_TLS:-}" = 1 ]; then
    # The server's user must be able to read the keys, and nobody else: it gets copies.
    rm -rf $own/certificates
    mkdir $own/certificates
    for name in ca.pem broker.pem broker.key; do
        cp "/mosquitto/certificates/$name" "$own/certificates/$name"
    done
    sed "s|/mosquitto/certificates/|$own/certificates/|" /mosquitto/config/tls.conf \
        >>$own/mosquitto.conf
fi
touch "$passwords"
mosquitto_passwd -b "$passwords" hearthline "$HEARTHLINE_MQTT_PASSWORD"
if [ -n "${HEARTHLINE_SIMULATOR_PASSWORD:-}" ]; then
    mosquitto_passwd -b "$passwords" simulator "$HEARTHLINE_SIMULATOR_PASSWORD"
else
    mosquitto_passwd -D "$passwords" simulator 2>/dev/null || true
fi
chown -R mosquitto:mosquitto /mosquitto/secrets /mosquitto/data
exec mosquitto -c $own/mosquitto.conf
