"""What builds and tries the container image; the image itself holds none of it."""
