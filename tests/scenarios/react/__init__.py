"""Pages made with the official React client, in headless Chromium."""
