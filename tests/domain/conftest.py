"""How to test here: pure functions, called with every instant and id they need. No fixture, no server, no sleep."""

from hypothesis import HealthCheck, settings

# Cores are shared: how long one example took says nothing about a rule, and must not decide whether its test passes.
settings.register_profile("shared cores", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared cores")
