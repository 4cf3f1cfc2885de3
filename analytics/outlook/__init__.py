"""Looking where nothing is measured, and ahead: estimates, sensor places, forecasts, waste.

``town`` lays the ledger out as arrays; ``spread`` says how alike neighbouring dwellings are;
``estimate`` gives every dwelling a temperature with an interval; ``placement`` says where the next
sensors tell most; ``response`` and ``forecast`` look two days ahead; ``overheat`` says what warm
rooms waste. All of these are pure. ``outlook`` puts them together; ``chore`` is the shell.
"""
