"""The pages of a report, each made from the data alone."""
