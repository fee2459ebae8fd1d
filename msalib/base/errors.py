"""The one error that a user is meant to read."""


class UserError(Exception):
    """Bad input, in one message: where, what was found, what was expected, and a remedy.

    The command line prints the message and exits with status 2; nothing has been written when it
    is raised. Programming mistakes stay ordinary exceptions.
    """

    def __init__(self, where: str, *, found: str, expected: str, remedy: str):
        self.where = str(where)
        self.found = found
        self.expected = expected
        self.remedy = remedy
        super().__init__(f"{where}: found {found}; expected {expected}. {remedy}")
