"""What the pages draw: views and charts without Streamlit, the frame and grids with it, and our own HTTP routes."""
