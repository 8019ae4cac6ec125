"""What `import benchsuite` offers to programs and notebooks: run(), and Study with its tables and charts."""
