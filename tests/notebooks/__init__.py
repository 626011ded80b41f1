"""The notebooks run, and are stored without what they printed."""
