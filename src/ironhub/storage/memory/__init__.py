"""The stores in memory: the plainest statement of what each port means. Nothing outlives the process."""
