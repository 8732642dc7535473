"""The custom actions, run by rasa-sdk in a process of their own."""
