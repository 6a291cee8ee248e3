"""Known cases as worked examples: what was taken, the plan's arithmetic, and what each rulebook's reserve would have left unpaid."""
