"""The service: stores proxy runs, fits, proposes, and steers live jobs; REST API and dashboard."""
