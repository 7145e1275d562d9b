from ironhub.wire.amqp.heartbeat import Heartbeat


def test_without_limits_there_is_nothing_to_wait_for() -> None:
    heartbeat = Heartbeat(0.0, 5.0)
    assert heartbeat.next_at is None
    assert not heartbeat.is_dead(1e9)
    assert not heartbeat.is_due(1e9)


def test_a_peer_is_dead_when_its_time_is_over_and_not_before() -> None:
    heartbeat = Heartbeat(60.0, 5.0)
    assert heartbeat.next_at == 65.0
    assert not heartbeat.is_dead(64.9)
    assert heartbeat.is_dead(65.0)


def test_a_frame_keeps_it_alive() -> None:
    heartbeat = Heartbeat(60.0, 0.0)
    heartbeat.frame(50.0)
    assert heartbeat.next_at == 110.0


def test_dripping_bytes_keep_nothing_alive_and_real_progress_does() -> None:
    heartbeat = Heartbeat(60.0, 0.0)
    heartbeat.heard(4095, 50.0)
    assert heartbeat.is_dead(60.0)
    heartbeat.heard(1, 55.0)
    assert not heartbeat.is_dead(114.0)


def test_silence_never_lasts_longer_than_half_of_what_the_peer_bears() -> None:
    heartbeat = Heartbeat(0.0, 0.0)
    heartbeat.begin(120.0, 0.0)
    assert heartbeat.next_at == 30.0
    assert not heartbeat.is_due(29.9)
    heartbeat.sent = True  # say, at 0.1: the next thing goes out at 60.0
    assert not heartbeat.is_due(30.0)
    assert heartbeat.next_at == 60.0
    assert heartbeat.is_due(60.0)


def test_while_there_is_traffic_no_empty_frame_is_due() -> None:
    heartbeat = Heartbeat(0.0, 0.0)
    heartbeat.begin(120.0, 0.0)
    for look in range(1, 10):
        heartbeat.sent = True
        assert not heartbeat.is_due(30.0 * look)


def test_the_nearer_of_the_two_waits_comes_first() -> None:
    heartbeat = Heartbeat(100.0, 0.0)
    heartbeat.begin(120.0, 0.0)
    assert heartbeat.next_at == 30.0
    heartbeat.begin(1200.0, 0.0)
    assert heartbeat.next_at == 100.0
