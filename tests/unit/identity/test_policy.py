from ironhub.identity.policy import ANY_USAGE, CLIENT_AUTH, DEFAULT_POLICY


def test_what_is_weak_is_refused_unless_somebody_asks_for_it() -> None:
    assert DEFAULT_POLICY.min_rsa >= 2048
    assert "sha1" not in DEFAULT_POLICY.hashes
    assert "md5" not in DEFAULT_POLICY.hashes
    assert not DEFAULT_POLICY.version_1
    assert not DEFAULT_POLICY.authority_as_device
    assert not DEFAULT_POLICY.stale_revocation_lists


def test_certificates_of_clients_are_what_is_wanted() -> None:
    assert DEFAULT_POLICY.usages == {CLIENT_AUTH, ANY_USAGE}
