"""Who may sign in, and with what role."""
