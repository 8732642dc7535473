"""Speed, side by side: an assistant that only echoes, Rasa's default one, and ours."""
