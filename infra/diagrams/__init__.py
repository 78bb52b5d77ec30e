"""The README's pictures, from code: ``python -m infra.diagrams`` writes each as PNG and SVG beside this file."""
