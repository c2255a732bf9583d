"""What visits add up to, and what came of them: the page “Traffic”."""
