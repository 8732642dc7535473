"""The pure core of KAP Guide: safety, topics, replies, the command. Knows nothing of Rasa."""
