"""PostgreSQL, Redis and all processes of the product on a machine with nothing installed.

Nothing in this package needs Django to be configured: it runs before settings
can be loaded, and hands them the addresses through the environment.
"""
