"""Where Rasa keeps conversations and takes its locks; what does the work is in `guide/`."""
