"""What fills the terminal, one module for each."""
