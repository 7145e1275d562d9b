"""Sockets and loops: what listens, who talks, and the bounds that keep one peer from harming another."""
