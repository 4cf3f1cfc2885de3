"""Rows → verdicts → findings; and the heat balance.

Pure, vectorised cores (``episodes``, ``trust``, ``signs``, ``verdicts``, ``diagnose``, ``triage``,
``water``, ``balance``) and thin shells around them (``cycle``, ``balancing``, ``worker``).
"""
