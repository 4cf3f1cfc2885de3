"""The operators' pages: server-rendered, live by server-sent events, in Chinese and English.

Every page works without scripts (forms post, links link); scripts add liveness, curves and keys.
Nothing is loaded from elsewhere, and no script or style is inline.
"""
