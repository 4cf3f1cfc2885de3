"""The machine interface and the operators' console, over read models and the complaint desk."""
