"""A vendor's words ↔ our operations, pure. The vendors' folders never meet."""
