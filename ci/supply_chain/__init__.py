"""What the environments are made of: bills of materials, licences, known vulnerabilities. Runs in .venv-terraform, with the other checks."""
