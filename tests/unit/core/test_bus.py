from ironhub.core.bus import (
    AuthoritiesChanged,
    CommandQueued,
    CredentialsChanged,
    DesiredChanged,
    JobsChanged,
    Notice,
    PolicyChanged,
)
from ironhub.core.ids import identity

PRESS = identity("press-7")


def test_each_notice_is_told_apart_by_its_kind() -> None:
    """They are tuples: two kinds with the same content must not be taken for one another."""
    notices: list[Notice] = [
        CredentialsChanged(PRESS, whole_device=False),
        AuthoritiesChanged(),
        PolicyChanged("owner"),
        DesiredChanged(PRESS, 2, {}),
        CommandQueued(PRESS),
        JobsChanged(None),
    ]
    kinds = [CredentialsChanged, AuthoritiesChanged, PolicyChanged, DesiredChanged, CommandQueued, JobsChanged]
    for notice in notices:
        assert [isinstance(notice, kind) for kind in kinds].count(True) == 1
