"""loan-workbench: research and model governance for loan customers. Parameters in, evidence out."""
