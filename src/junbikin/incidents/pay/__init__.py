"""Payment of an approved plan: who can be paid how, the files that pay, and what banks and custodians answer."""
