"""Heat and water: pure functions on arrays, SI-near units, nothing of devices or clocks."""
