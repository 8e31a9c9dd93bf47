"""The ledger doctor, as verbs: scores of movements, findings and their repairs, the ledger's own rules."""
