"""Tamper evidence: verify recomputes everything from the log, and checkpoints hold the books to their past."""
