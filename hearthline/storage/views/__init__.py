"""Read models: what pages and the API show, each as one or two statements.

Nothing here writes, and nothing here decides: verdicts, causes and states were decided elsewhere
and are only put together. Every function takes an open connection first and, where the answer
depends on the time of day, ``now``.
"""
