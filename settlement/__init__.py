"""The rules: policy documents as dated data, worth, the settlement run, explanation."""
