"""Tests of console/metrics.py."""

from prometheus_client.parser import text_string_to_metric_families

from ironhub.console.metrics import HubMetrics, Readings


def samples(read: Readings, reasons: tuple[str, ...] = ()) -> dict[tuple[str, str], float]:
    text = HubMetrics(lambda: read, lambda: reasons).text().decode()
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_each_reading_becomes_a_sample() -> None:
    found = samples(
        Readings(
            version="1.2",
            connections={"open": 5},
            tasks=13,
            connects={"accepted": 7, "identity.unauthorized": 2},
            amqp_connects={"accepted": 4},
            amqp_links=6,
            amqp_rejected={"message.malformed": 8},
            event_readers={"$default": 5},
            events_sent=12,
            messages_stored=11,
            bytes_stored=220,
            commits=3,
            commit_seconds=9.5,
            damaged=2,
            commands={"queued": 1},
            method_calls={"answered": 1},
            twin_changes={"desired": 4},
            stores={"hub": True, "stream": False},
        )
    )
    assert found["ironhub_build_info", "1.2"] == 1
    assert found["ironhub_connections", "open"] == 5
    assert found["ironhub_tasks", ""] == 13
    assert found["ironhub_connects_total", "identity.unauthorized"] == 2
    assert found["ironhub_amqp_connects_total", "accepted"] == 4
    assert found["ironhub_amqp_links", ""] == 6
    assert found["ironhub_amqp_rejected_total", "message.malformed"] == 8
    assert found["ironhub_event_readers", "$default"] == 5
    assert found["ironhub_events_sent_total", ""] == 12
    assert found["ironhub_messages_stored_total", ""] == 11
    assert found["ironhub_message_bytes_stored_total", ""] == 220
    assert found["ironhub_commits_total", ""] == 3
    assert found["ironhub_commit_seconds_total", ""] == 9.5
    assert found["ironhub_log_damaged_total", ""] == 2
    assert found["ironhub_store_healthy", "stream"] == 0
    assert found["ironhub_commands_total", "queued"] == 1
    assert found["ironhub_method_calls_total", "answered"] == 1
    assert found["ironhub_twin_changes_total", "desired"] == 4
    assert found["ironhub_ready", ""] == 1


def test_a_hub_that_is_not_ready_says_so() -> None:
    assert samples(Readings(), ("no disk",))["ironhub_ready", ""] == 0
