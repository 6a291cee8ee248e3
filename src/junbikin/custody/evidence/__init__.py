"""What chain, bank and trust say of the assets, kept as it was said; and proof that addresses are under the operator's control."""
