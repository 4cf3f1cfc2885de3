"""The ledger (台账) as companies keep it: sheets in, places and devices out, and its upkeep.

Everything here is pure: bytes of CSV and XLSX files become sheets (``tables``), sheets become
rows (``columns``, ``cells``, ``rows``), rows become a ledger and a list of problems (``rules``,
``reading``); ``checks`` looks for what is wrong in a ledger that is already stored, ``sampling``
draws the weekly spot check, ``writing`` makes sheets again. Nothing here knows a database.
"""
