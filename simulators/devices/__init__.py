"""The devices of a town: who has a sensor or a meter, what it speaks, how it calls itself."""
