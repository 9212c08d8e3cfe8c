"""How to test here: pure functions, called with every instant and id they need. No fixture, no server, no sleep."""
