"""How good the analysis is: what it said beside what was true, and beside the simple alarm.

Pure, on plain values, whatever the truth comes from. ``truth`` is what was so, ``said`` what was
claimed (by us, or by the baseline), ``matching`` brings the two together, ``figures`` counts. The
definitions stand in ``docs/scoring.md``.
"""
