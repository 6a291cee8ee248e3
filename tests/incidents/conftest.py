"""Homes with books for the tests of incidents; for each module its own."""

from custody.conftest import books_socket, founded

__all__ = ["books_socket", "founded"]
