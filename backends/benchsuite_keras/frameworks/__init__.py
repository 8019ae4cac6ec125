"""What differs between the frameworks that Keras runs on: one module for each, see runtime.Framework."""
