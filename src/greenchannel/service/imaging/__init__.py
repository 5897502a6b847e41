"""Images: the shells that bring them in, keep them and give them out."""
