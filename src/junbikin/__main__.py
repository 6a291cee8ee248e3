"""`python -m junbikin`."""

from junbikin.cli import main

main()
