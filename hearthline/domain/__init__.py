"""Pure vocabulary of a heated city: places, readings, policies, verdicts, findings.

Nothing here reads a clock, a socket or a database; everything else may import it.
"""
