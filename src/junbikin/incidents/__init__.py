"""An incident: what was taken, who is owed what, the plan, its payment, and what is told to whom."""
