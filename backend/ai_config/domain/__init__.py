"""Rules of AI providers, pure: money and the circuit breaker."""
