"""The development stack: a TimescaleDB and an MQTT broker for one checkout.

Standard library only, so that `python3 deploy/stack up` works before anything is installed.
It refuses to be a production installer: `deploy/README.md` tells that story. The decision that
is not obvious: database and broker are chosen apart from each other, each from the same ordered
list of providers (`providers.py`), and every provider that was passed over leaves its reason.
"""
