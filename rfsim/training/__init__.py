"""Teacher training: losses written once over either spectrum, timescales."""
