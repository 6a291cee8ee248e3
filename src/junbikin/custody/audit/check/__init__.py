"""Checking a pack: everything in it is worked out again, on a machine without the home and without its database."""
