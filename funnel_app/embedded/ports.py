"""TCP addresses: the one people open, and private ones for servers of our own."""

import socket

from .errors import CannotStart


def listen_on(host: str, port: int) -> socket.socket:
    """A listening socket on the address, to be handed to the web processes.

    The supervisor keeps it open, so connections wait instead of being refused
    while a web process is started again. Raises CannotStart.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise CannotStart(
            f"The address {host}:{port} cannot be used ({error.strerror}); "
            "choose another with PORT=8001 make run."
        ) from error
    return listener


def is_free(port: int) -> bool:
    """Whether a server of our own could listen on this port of the loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port of the loopback interface that nothing listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
