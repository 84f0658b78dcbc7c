"""The layers of the course, timed beside those of Keras and PyTorch."""
