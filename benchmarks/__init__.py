"""What is fast, measured side by side in one run, and never part of a test."""
