"""How this package says that it cannot go on."""


class CannotStart(Exception):
    """A server or the product cannot be started; the message is one sentence for the terminal."""
