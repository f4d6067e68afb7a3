"""Training a Top-K SAE on embeddings."""
