"""From MQTT messages to rows: decode, judge, write once, acknowledge after the commit.

``formats`` reads the wire, ``acceptance`` and ``intake`` judge, ``batcher`` and ``delivery`` decide
when to write and what to acknowledge; all of these are pure. ``writer`` and ``consumer`` are the
shells around the database and the broker, ``service`` runs both.
"""
