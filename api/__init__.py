"""The door for programs: parse, one verb of core, answer. See `docs/api.md`."""
