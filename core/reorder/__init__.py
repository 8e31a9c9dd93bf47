"""What to order and why, from demand paths and terms: arithmetic only, no session and no clock."""
