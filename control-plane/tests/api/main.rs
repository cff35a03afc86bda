//! Black-box tests of the control plane: its routes, its command line, its process.
