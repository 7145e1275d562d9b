"""Who opens the links of back ends on the hub's own host."""

from typing import Final

from ironhub.dialects.azure.amqp_addresses import CommandFeedback, FileNotifications, ServiceCommands
from ironhub.heads.amqp.opening import Openers
from ironhub.heads.amqp.service.commands import open_sender
from ironhub.heads.amqp.service.feedback import open_feedback
from ironhub.heads.amqp.service.notifications import open_notifications

OPENERS: Final[dict[type, Openers]] = {
    ServiceCommands: Openers(sender=open_sender),
    CommandFeedback: Openers(receiver=open_feedback),
    FileNotifications: Openers(receiver=open_notifications),
}
