#!/bin/sh
# Starts the broker in its container: the service accounts get the passwords of the environment,
# devices keep the ones that they were given.
set -eu
umask 077

passwords=/mosquitto/secrets/passwords
cp /mosquitto/config/acl.conf /mosquitto/secrets/acl.conf
touch "$passwords"
mosquitto_passwd -b "$passwords" hearthline "$HEARTHLINE_MQTT_PASSWORD"
if [ -n "${HEARTHLINE_SIMULATOR_PASSWORD:-}" ]; then
    mosquitto_passwd -b "$passwords" simulator "$HEARTHLINE_SIMULATOR_PASSWORD"
else
    mosquitto_passwd -D "$passwords" simulator 2>/dev/null || true
fi
chown -R mosquitto:mosquitto /mosquitto/secrets /mosquitto/data
exec mosquitto -c /mosquitto/config/mosquitto.conf
