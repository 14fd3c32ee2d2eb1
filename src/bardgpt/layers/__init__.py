"""The parts of a model: functions of (B, T, C) that know nothing of training."""
