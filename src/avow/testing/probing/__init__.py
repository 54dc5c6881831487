"""The probe: a policy's own test suite for any site."""
