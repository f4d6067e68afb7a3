"""The Top-K sparse autoencoder: its configuration, its maths and its file formats."""
