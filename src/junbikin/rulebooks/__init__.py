"""Rulebooks: one folder per regime; parameters as dated data with citations, formulas as small pure functions.

Nothing here reads facts: a formula is given them through `interface.Facts`.
"""
