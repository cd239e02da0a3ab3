"""What a trained model is worth: metrics from the papers, each written to a stated protocol."""
