"""The system of record: people, accounts, buying roles, stage episodes, criteria."""
