"""The lock of actions: which commit each action is pinned to, and how that changes."""
