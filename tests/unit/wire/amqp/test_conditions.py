from ironhub.wire.amqp import conditions

CONDITIONS = {name: value for name, value in vars(conditions).items() if name.isupper()}


def test_each_condition_is_a_symbol_of_its_own_in_the_standards_namespace() -> None:
    assert len(set(CONDITIONS.values())) == len(CONDITIONS) > 20
    assert all(value.startswith("amqp:") and value.isascii() for value in CONDITIONS.values())


def test_those_of_connections_sessions_and_links_say_whose_they_are() -> None:
    assert conditions.FRAMING_ERROR == "amqp:connection:framing-error"
    assert conditions.UNATTACHED_HANDLE == "amqp:session:unattached-handle"
    assert conditions.LINK_REDIRECT == "amqp:link:redirect"
