"""The only writer of a latent store: sources -> encode -> assemble -> publish."""
