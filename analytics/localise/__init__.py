"""Where is it, and why: from how far dwellings lie off their fellows to places and causes.

===============  =====================================================================
module           answers
===============  =====================================================================
``offsets``      how far is each dwelling off its fellows and its own past, how surely
``tree``         which places' shifts explain that best: a posterior over the tree
``dwellings``    what does a single dwelling's course look like: features
``causes``       which causes fit a place: likelihoods, priors, posterior
===============  =====================================================================
"""
