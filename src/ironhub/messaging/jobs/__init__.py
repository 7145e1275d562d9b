"""Jobs: the same twin update or method call for every device that a condition names, now or at a set time."""
