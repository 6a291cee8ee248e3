"""The one tree of errors, drawn here. Nothing else of ours is imported.

    JunbikinError             exit code 3: our fault
    └── BadInput              exit code 2: the person can mend it
        ├── HomeProblem       no home, a broken junbikin.toml, a home in use
        ├── SourceRefused     a file that cannot be read as what it claims to be
        ├── MappingProblem    a mapping that does not fit its dataset or its file
        ├── RulebookProblem   a rulebook that is not well formed
        │   └── ParameterMissing   a number the rulebook needs and does not have
        ├── FactsDamaged      the lake is not what its log says
        ├── PositionProblem   a position file that is not whole, or not found
        ├── BooksProblem      no books here, out of reach, or of another version
        ├── BooksRefused      the books refuse: a rule, an approval, a known key
        └── BooksDamaged      the books, a checkpoint or a backup are not what they were

Every message says what is wrong, where, and what to do next.
"""


class JunbikinError(Exception):
    """A failure with its place and its remedy; `str()` gives all three, a line each."""

    exit_code = 3

    def __init__(self, what: str, *, where: str = "", then: str = "") -> None:
        self.what, self.where, self.then = what, where, then
        lines = [what, where and f"  where: {where}", then and f"  next:  {then}"]
        super().__init__("\n".join(line for line in lines if line))


class BadInput(JunbikinError):
    """What was given cannot be used; nothing was changed."""

    exit_code = 2


class HomeProblem(BadInput):
    """There is no home here, or it cannot be used."""


class SourceRefused(BadInput):
    """A file cannot be read as what it claims to be."""


class MappingProblem(BadInput):
    """A mapping does not fit its dataset or its file."""


class RulebookProblem(BadInput):
    """A rulebook is not well formed."""


class ParameterMissing(RulebookProblem):
    """A parameter is unknown, or has no value on the day asked."""


class FactsDamaged(BadInput):
    """A file of the lake is missing or is not the one that the log recorded."""


class PositionProblem(BadInput):
    """A position file is not whole, or there is none."""


class BooksProblem(BadInput):
    """There are no books here, they are out of reach, or of another version."""


class BooksRefused(BadInput):
    """The books refuse what was asked; nothing was changed."""


class BooksDamaged(BadInput):
    """Books, a checkpoint or a backup are not what they were: the past was changed."""
