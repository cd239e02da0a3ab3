"""What each command does; `__main__` says how it is called. Every command returns an exit status."""
