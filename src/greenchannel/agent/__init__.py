"""The clinic's agent: shells around `greenchannel.ingest.agent_*`. Base dependencies, and no call of one system."""
