"""Reconciliation (照合): books, customer balances, and what chain, bank and trust say; what differs, since when, who looks at it."""
