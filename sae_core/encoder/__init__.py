"""The CLIP encoder: any open_clip model, with its preprocessing as data and a fingerprint."""
