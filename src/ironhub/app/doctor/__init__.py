"""`ironhub doctor`: what is wrong with this set-up, and what to do about each. Changes nothing."""

from ironhub.app.doctor.examine import examine
from ironhub.app.doctor.model import Finding, Level

__all__ = ["Finding", "Level", "examine"]
