"""What the pages draw: views and charts without Streamlit, the frame and grids with it, and our own HTTP routes."""

from sae_core.openmp import waiting_threads_sleep

waiting_threads_sleep()  # here, since every other module may load FAISS or PyTorch
