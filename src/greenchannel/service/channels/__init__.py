"""The ways out of the house: one module a kind of address. Each sends one message and says what became of it."""
