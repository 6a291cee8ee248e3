"""The books (帳簿): a log that is only added to, double entry per asset, in PostgreSQL, which refuses what must not happen."""
