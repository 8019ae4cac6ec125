"""The pages of a report, each made from the material alone."""
