"""Tests of app/doctor/model.py."""

from ironhub.app.doctor.model import Finding, Level


def test_a_finding_reads_well_and_says_what_to_do() -> None:
    assert Finding(Level.OK, "tls", "works").lines() == ["ok    tls           works"]
    told = Finding(Level.WARN, "disk", "odd\x1b", "Do it.").lines()
    assert told == ["warn  disk          odd\\x1b", "                    → Do it."]


def test_a_finding_is_plain_json() -> None:
    finding = Finding(Level.BAD, "a", "b", "c")
    assert finding.as_dict() == {"level": "bad", "check": "a", "what": "b", "next_step": "c"}
