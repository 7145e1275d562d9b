"""Tests of app/cli/shown.py."""

from ironhub.app.cli.shown import STATE_COLUMNS, details_of, state_of

DEVICE = {
    "auth": {"kind": "sas", "keys": {"primary": "p", "secondary": "s"}, "thumbprints": None},
    "connected": True,
    "last_activity_at": None,
    "pending_commands": 2,
    "created_at": "then",
    "etag": "e",
}


def test_there_is_a_cell_for_each_column() -> None:
    assert state_of(DEVICE) == ("sas", True, None, 2)
    assert len(state_of(DEVICE)) == len(STATE_COLUMNS)


def test_details_hold_keys_only_where_the_answer_has_them() -> None:
    assert details_of(DEVICE)["primary key"] == "p"
    bare = details_of({**DEVICE, "auth": {"kind": "x509-thumbprint", "keys": None, "thumbprints": ["ab", "cd"]}})
    assert (bare["primary key"], bare["thumbprints"]) == (None, "ab, cd")
