"""Grafana as code: dashboards built from typed panels and named SQL, and published.

``build`` writes the JSON files that provisioning reads, ``publish`` puts the same dashboards
into a running Grafana. Nothing here touches the database: panels carry SQL that Grafana runs as
a role that may only read.
"""
