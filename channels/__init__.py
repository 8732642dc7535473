"""The ways to the assistant: each cleans, identifies and limits, and renders the same replies."""
