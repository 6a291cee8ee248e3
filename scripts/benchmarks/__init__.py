"""What scripts/bench measures: one module for each journey, and what they share."""
