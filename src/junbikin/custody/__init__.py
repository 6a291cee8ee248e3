"""Customers' assets: there, apart, mostly cold, matched in kind; reconciled, and proved to each customer."""
