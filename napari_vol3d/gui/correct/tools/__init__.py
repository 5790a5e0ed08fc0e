"""The tools of the Correct tab, one a file: the options of each as a small form, and what it does with them."""
