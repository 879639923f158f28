"""How long things are kept: deletion of studies and jobs, and what goes by itself with time."""
