"""The words in which configurations say who is targeted and who is counted.

Source: azure "Automatic device and module management using the CLI": a condition over device twins, or FROM with one
over module twins; metrics are queries that select who is counted.
"""

import re
from typing import Final

from ironhub.dialects.azure.query import parse_condition, parse_query
from ironhub.twins.configurations.errors import ConfigurationMetricInvalid, ConfigurationTargetInvalid
from ironhub.twins.configurations.model import Configuration, ContentKind, Target
from ironhub.twins.queries.model import Path, QueryInvalid, Source

_FROM: Final = re.compile(r"\s*FROM\s+(devices(?:\.modules)?)(?:\s+WHERE(?=[\s(])|\s*\Z)", re.IGNORECASE)
_DEVICE_ID: Final = Path(("device_id",))
_AGENT: Final = "FROM devices.modules WHERE moduleId = '$edgeAgent' AND configurations.[[{id}]].status = 'Applied'"
_REPORTED: Final = (
    " AND properties.desired.$version = properties.reported.lastDesiredVersion"
    " AND properties.reported.lastDesiredStatus.code {sign} 200"
)


class AzureConditions:
    """A ConditionReader for the vendor's query language."""

    def target(self, text: str) -> Target:
        """Return who is meant: "*", a condition over device twins, or FROM devices.modules WHERE and a condition.

        Raises ConfigurationTargetInvalid.
        """
        match = _FROM.match(text)
        source = Source.MODULES if match and match[1].lower().endswith("modules") else Source.DEVICES
        # Blanks in its place: the column that an error names is that of the text as it was written.
        condition = text if match is None else (" " * match.end() + text[match.end() :]).rstrip() or "*"
        try:
            return Target(source, parse_condition(condition, source))
        except QueryInvalid as error:
            raise ConfigurationTargetInvalid(str(error)) from error

    def metric(self, text: str) -> Target:
        """Return who is counted by a query that selects deviceId. Raises ConfigurationMetricInvalid."""
        try:
            query = parse_query(text)
        except QueryInvalid as error:
            raise ConfigurationMetricInvalid(str(error)) from error
        if query.source is Source.JOBS or query.grouped or query.top is not None:
            raise ConfigurationMetricInvalid("a metric counts devices or modules, without groups and TOP")
        if all(column.shown != _DEVICE_ID for column in query.columns):
            raise ConfigurationMetricInvalid("a metric must select deviceId")
        return Target(query.source, query.condition)

    def reports(self, configuration_id: str) -> tuple[Target, Target]:
        """Return who says that it runs a deployment, and who that it failed to."""
        texts = _reports(configuration_id)
        return self.metric(f"SELECT deviceId {texts[0]}"), self.metric(f"SELECT deviceId {texts[1]}")


def system_queries(configuration: Configuration) -> dict[str, str]:
    """Return the queries that find what the system metrics of a configuration count."""
    selected, name = "SELECT deviceId", configuration.id
    match configuration.content.kind:
        case ContentKind.DEVICE:
            source, applied = "FROM devices", f"FROM devices WHERE configurations.[[{name}]].status = 'Applied'"
        case ContentKind.MODULE:
            source, selected = "FROM devices.modules", "SELECT deviceId, moduleId"
            applied = f"FROM devices.modules WHERE configurations.[[{name}]].status = 'Applied'"
        case ContentKind.EDGE:
            source, applied = "FROM devices", _AGENT.format(id=name)
    queries = {
        "targetedCount": f"{selected} {_targeted(configuration, source)}",
        "appliedCount": f"{selected} {applied}",
    }
    if configuration.content.kind is ContentKind.EDGE:
        good, bad = _reports(name)
        queries |= {
            "reportedSuccessfulCount": f"{selected} {good}",
            "reportedFailedCount": f"{selected} {bad}",
        }
    return queries


def _targeted(configuration: Configuration, source: str) -> str:
    match = _FROM.match(configuration.target)
    condition = (configuration.target if match is None else configuration.target[match.end() :]).strip()
    conditions = [] if condition in ("", "*") else [condition]
    if configuration.content.kind is ContentKind.EDGE:
        conditions = ["capabilities.iotEdge = true", *(f"({each})" for each in conditions)]
    return f"{source} WHERE {' AND '.join(conditions)}" if conditions else source


def _reports(configuration_id: str) -> tuple[str, str]:
    agent = _AGENT.format(id=configuration_id)
    return agent + _REPORTED.format(sign="="), agent + _REPORTED.format(sign="!=")
