"""Pure parts of the policy: the action set, the probabilities, the draw."""
