"""How good the register is, in figures that can be stated: samples, estimates with their intervals, agreement."""
