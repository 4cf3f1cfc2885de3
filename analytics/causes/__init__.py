"""Which cause: rules with their chances, and a model that has learnt from simulated seasons.

An explainer puts a ``Question`` (what is seen of a dwelling or of a place) together with what the
rules make of it, and whoever judges (``choice``) answers with ranked causes. The rules are always
there; the model (``model``) is a table of coefficients beside them, applied with numpy alone and
mixed with the rules, so that a cause it never met keeps a chance. Everything about training
(``recipe``, ``lessons``, ``training``) is imported by ``hearthline train`` and by nothing that runs
in service.
"""
