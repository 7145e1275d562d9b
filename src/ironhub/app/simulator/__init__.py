"""`ironhub simulate`: a fleet of machines that behave like machines, as devices of a running hub."""

from ironhub.app.simulator.run import Wanted, run_clean, run_simulation

__all__ = ["Wanted", "run_clean", "run_simulation"]
