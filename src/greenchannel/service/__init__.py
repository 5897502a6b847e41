"""The shells between the rooms: intake, duty, streams, and the warm case book."""
