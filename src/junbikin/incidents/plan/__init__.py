"""A compensation plan (補償計画): its rule, the exact shares, the entitlements, the funding, and asking for its approval."""
