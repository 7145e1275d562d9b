"""Direct methods: a call to a connected device that awaits its answer."""
