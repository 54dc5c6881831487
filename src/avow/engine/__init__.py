"""The engine: compiles a policy and judges flows. Pure: no clock, no chance, no I/O but reading the policy file."""

from avow.engine.explain import Explanation
from avow.engine.policy import Policy
from avow.language.vocabulary import UnknownTerm

__all__ = ["Explanation", "Policy", "UnknownTerm"]
