"""junbikin: what liability reserve an exchange must hold, what it holds, what is missing and why."""

__version__ = "0.1.0"
