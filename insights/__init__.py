"""What it all adds up to: reads everything, writes only its own roll-ups."""
