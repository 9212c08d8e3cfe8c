"""The one error that a command raises to say what a person should do differently."""


class Complaint(Exception):  # noqa: N818 - what it is: a word to the person at the terminal
    """Its text is one line for the terminal; the exit code is 2."""
