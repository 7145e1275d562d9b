"""The words of Azure IoT Hub: topics, property bags, REST routes, JSON shapes, error codes. No IO, no clock."""
