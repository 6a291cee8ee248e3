"""The proof of liabilities (債務証明): what customers are owed, committed to so that each can check that they are counted."""
