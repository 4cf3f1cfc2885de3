"""From MQTT messages to rows: decode, judge, write once, acknowledge after the commit.

``formats`` reads the wire, ``acceptance`` judges, ``sorting`` and ``preparing`` make a batch ready;
``batcher`` and ``delivery`` decide when to write and what to acknowledge; all of these are pure.
``consumer`` (on ``wire`` and ``broker``) is the shell around the broker, ``writer`` and ``writing``
around the database, ``gathering`` between them; ``service`` runs all. ``directory`` remembers who
is known, ``door`` puts together what decides. ``describing``, ``adoption`` and ``replaying`` are
for what could not be stored when it came.

Three stages work at once, each on a thread of its own: while the database writes one batch, the
next is gathered and prepared, and the messages after it are received and decoded.

The delivery contract, and what proves it:

- Subscriptions at QoS 1 (MQTT 5) in a session that outlives us, under a stable client id: what is
  published while ingest is away waits at the broker (``tests/integration/test_ingest_killed``).
- A message is acknowledged after the transaction that stores it has committed, in the order in
  which messages came, on the connection that brought it (``delivery``). Nothing else loses it:
  whatever dies before comes again.
- A reading is known by (device, time). Of two values for one, the first stays and the other is
  recorded as a conflict (``storage.readings``).
- A message that comes again after its commit is known by packet identifier and checksum, and
  counts once, also where it has no time of its own (``storage.deliveries``).
- At most ReceiveMaximum messages are in hand, so memory is bounded while the database is away. A
  batch closes by size, by age, when a third of the window is in hand, or when nothing more comes,
  so that a broker which sends only twenty at a time is drained at full speed (``batcher``).
- Rows go straight in by binary COPY; only a batch in which a duplicate turns up takes the careful
  way through a temporary table.
- What cannot be used is acknowledged too, kept with its reason, counted, and can be replayed.
  Readings published = rows + duplicates + refusals, exactly.
"""
