"""What the stream ports ask for: the event log in this process's memory and on its disk, and the bus."""
