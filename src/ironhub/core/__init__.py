"""The words everybody shares: ids, clock, errors, facts, sealing. Imports nothing of ours and does no IO."""
