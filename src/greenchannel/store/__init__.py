"""The log and its companions: blobs, the vault, accounts, deadlines. SQLAlchemy Core; SQLite today."""
