"""Work that nobody waits for at a screen, and the commands of the shop."""
