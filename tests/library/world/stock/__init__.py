"""Stock without any natural key: only the platform's keys keep an effect from happening twice."""
